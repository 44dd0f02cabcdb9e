import type { FeatureLayer } from "../../features/layers.js";
import { counterparts, featureLayers } from "../../features/layers.js";
import { type LayerFeatures, observeFeatures } from "../../features/observe.js";
import { fedInputs } from "../../graph/fed-inputs.js";
import { type ReadModel, readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import type { NamedTensors } from "../../runtime/session.js";
import { command } from "../command.js";
import { drawingsOf } from "../features/drawings.js";
import { percent, signed } from "../features/panels.js";
import { type Scale, scales } from "../features/tiles.js";
import { checkNewFolder, writeFolder } from "../features/write-folder.js";
import { oneOf } from "../flags.js";
import { readFeeds } from "../read-feeds.js";
import { table } from "../table.js";

interface Options {
  readonly image: readonly string[];
  readonly layer?: string;
  readonly raw?: boolean;
  readonly compare?: string;
  readonly out?: string;
  readonly scale: Scale;
  readonly force?: boolean;
  readonly normalize?: string;
}

export default command<[string], Options>({
  configure: (c) =>
    c
      .argument("<model>", "an ONNX file")
      .requiredOption("--image <file...>", "images (or .npy arrays of the input's shape) to measure on")
      .option(
        "--layer <globs>",
        "only these layers, by name (`*`, `?`, commas); any node that makes maps (default: all convolutions and SCConv units)",
      )
      .option("--raw", "maps of a convolution itself, without the normalisation and activation behind it")
      .option(
        "--compare <other>",
        "another ONNX file, measured and drawn beside it where it has the same layers",
      )
      .option(
        "--out <dir>",
        "draw the first image's maps, as PNG and SVG: a grid per layer, and a sheet of all",
      )
      .option(
        "--scale <how>",
        "grey values over each map's range or the layer's: map or common",
        oneOf("--scale", scales),
        "map",
      )
      .option("--force", "write into a folder that is there")
      .option(
        "--normalize <how>",
        "of images: imagenet, cifar10, none or MEAN/STD (default: the model's own)",
      ),

  async run([file], { image, layer, raw, compare, out, scale, force, normalize }, context) {
    if (out !== undefined) await checkNewFolder(out, { force });
    const read = await readModel(file, context);
    const layers = featureLayers(read.graph, { layers: layer, raw, where: file });
    const other =
      compare === undefined ? undefined : { file: compare, ...(await readModel(compare, context)) };
    const places =
      other && counterparts({ graph: read.graph, layers }, other.graph, { raw, where: other.file });
    if (places?.size === 0) context.warn(`${compare} has none of the layers of ${file}: nothing is compared`);

    const observe = async (
      model: ReadModel,
      chosen: readonly FeatureLayer[],
      where: string,
      how: string | undefined,
    ) => {
      const feeds = await feedsOf(model, image, { where, normalize: how, warn: context.warn });
      const skipOthers = layer?.includes("*") ?? false;
      return observeFeatures(nodeEngine(), model.graph, chosen, feeds, { ...context, where, skipOthers });
    };
    const features = await observe(read, layers, file, normalize);
    const few = features.find((l) => l.redundancy.pixels <= l.redundancy.maps);
    if (few) {
      const { pixels, maps } = few.redundancy;
      context.warn(
        `${few.name} has ${maps} maps and only ${pixels} pixels on these images: its rank can not exceed ${pixels - 1}, and its redundancy says little; give more images`,
      );
    }
    const others = other && (await observe(other, [...new Set(places!.values())], other.file, normalize));
    const counterpart = (l: LayerFeatures) => others?.find((o) => o.value === places!.get(l.name)?.value);

    let files: readonly string[] = [];
    if (out !== undefined) {
      const drawings = await drawingsOf(features, { counterpart, scale, titles: [file, compare ?? ""] });
      await writeFolder(out, drawings, { force });
      files = [...drawings.keys()];
    }
    const documents = features.map((l) => {
      const beside = counterpart(l);
      return { ...documentOf(l), ...(beside ? { compared: documentOf(beside) } : {}) };
    });
    return {
      document: {
        images: image.length,
        layers: documents,
        ...(compare === undefined ? {} : { compare }),
        ...(out === undefined ? {} : { out, files }),
      },
      text: ({ dim }) =>
        [
          textOf(features, counterpart, compare !== undefined),
          dim(
            `${image.length === 1 ? "one image" : `${image.length} images`}; figures are defined in docs/features.md`,
          ),
          ...(out === undefined ? [] : [`${files.length} pictures in ${out}`]),
        ].join("\n"),
    };
  },
});

/** Images as the model's feeds, one by one; what has to be said of the model is said once. */
async function feedsOf(
  { model, graph }: ReadModel,
  images: readonly string[],
  { warn, ...options }: { where: string; normalize: string | undefined; warn(text: string): void },
): Promise<NamedTensors[]> {
  const said = new Set<string>();
  const once = (text: string) => {
    if (!said.has(text)) warn(text);
    said.add(text);
  };
  const feeds: NamedTensors[] = [];
  for (const image of images)
    feeds.push(await readFeeds([image], { ...options, model, inputs: fedInputs(graph), warn: once }));
  return feeds;
}

function documentOf({ name, op, value, through, redundancy: r, first, unit }: LayerFeatures) {
  const { maps, pixels, dead, redundancy, effectiveRank, constant, zeros, similarity, mostAlike, deadMaps } =
    r;
  return {
    ...{ name, op, value, through },
    size: [first.height, first.width],
    ...{ maps, pixels, dead, deadMaps, constant, zeros, redundancy, effectiveRank },
    similarity: { ...similarity, median: similarity.median ?? null },
    mostAlike,
    ...(unit ? { unit } : {}),
  };
}

function textOf(
  layers: readonly LayerFeatures[],
  counterpart: (layer: LayerFeatures) => LayerFeatures | undefined,
  compared: boolean,
): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    ...[{ title: "layer" }, { title: "operator" }, right("maps"), right("dead"), right("zeros")],
    ...[right("similarity"), right("alike"), right("rank"), right("redundancy")],
  ];
  const cells = ({ redundancy: r }: LayerFeatures) => [
    `${r.maps}`,
    `${r.dead}`,
    percent(r.zeros),
    r.similarity.median === undefined ? "–" : signed(r.similarity.median),
    percent(r.similarity.alike),
    r.effectiveRank.toFixed(1),
    percent(r.redundancy),
  ];
  const rows = layers.flatMap((l) => {
    const other = counterpart(l);
    const beside = other
      ? ["  compared", other.op, ...cells(other)]
      : ["  compared", "not there", "", "", "", "", "", "", ""];
    return [[l.name, l.op, ...cells(l)], ...(compared ? [beside] : [])];
  });
  return table(columns, rows);
}
