import { basename } from "node:path";
import { ScconvError } from "../../base/errors.js";
import type { FeatureLayer } from "../../features/layers.js";
import { counterparts, featureLayers } from "../../features/layers.js";
import { type LayerFeatures, observeFeatures } from "../../features/observe.js";
import { checkWritable, writeFileWhole } from "../../host/node/files.js";
import { type ReadModel, readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { command } from "../command.js";
import { drawingsOf } from "../features/drawings.js";
import { documentOf, textOf } from "../features/figures.js";
import { givesImages, type ImageFlags, imageFlags } from "../features/image-flags.js";
import { imageFeeds } from "../features/images.js";
import { pngOf } from "../features/panels.js";
import { redundancyChart } from "../features/redundancy-chart.js";
import { type Scale, scales } from "../features/tiles.js";
import { checkNewFolder, writeFolder } from "../features/write-folder.js";
import { oneOf } from "../flags.js";

interface Options extends ImageFlags {
  readonly layer?: string;
  readonly raw?: boolean;
  readonly compare?: string;
  readonly out?: string;
  readonly chart?: string;
  readonly scale: Scale;
  readonly force?: boolean;
}

export default command<[string], Options>({
  configure: (c) =>
    imageFlags(c.argument("<model>", "an ONNX file"))
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
        "draw the first image's maps, as PNG and SVG: a grid per layer, what the SRU of each unit does, and a sheet of all",
      )
      .option("--chart <file>", "draw the layers' redundancy as a chart, as .svg or .png", chartFile)
      .option(
        "--scale <how>",
        "grey values over each map's range or the layer's: map or common",
        oneOf("--scale", scales),
        "map",
      )
      .option("--force", "write into a folder that is there, and replace a chart"),

  async run([file], { layer, raw, compare, out, chart, scale, force, ...given }, context) {
    if (!givesImages(given))
      throw new ScconvError("usage", "no images to measure on", { hint: "give --image or --data" });
    if (chart !== undefined) await checkWritable(chart, { force });
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
      flags: ImageFlags,
    ) => {
      const { feeds, count, close } = await imageFeeds(model, flags, where, context);
      const skipOthers = layer?.includes("*") ?? false;
      const how = { ...context, where, count, skipOthers, sru: out !== undefined };
      try {
        return { count, layers: await observeFeatures(nodeEngine(), model.graph, chosen, feeds, how) };
      } finally {
        await close();
      }
    };
    const { count, layers: features } = await observe(read, layers, file, given);
    const few = features.find((l) => l.redundancy.pixels <= l.redundancy.maps);
    if (few) {
      const { pixels, maps } = few.redundancy;
      context.warn(
        `${few.name} has ${maps} maps and only ${pixels} pixels on these images: its rank can not exceed ${pixels - 1}, and its redundancy says little; give more images`,
      );
    }
    const others = other && (await observe(other, [...new Set(places!.values())], other.file, given)).layers;
    const counterpart = (l: LayerFeatures) => others?.find((o) => o.value === places!.get(l.name)?.value);

    for (const l of [...features, ...(others ?? [])]) {
      if (l.sru && "missing" in l.sru) context.warn(`no picture of the SRU of ${l.name}: ${l.sru.missing}`);
    }
    let files: readonly string[] = [];
    if (out !== undefined) {
      const drawings = await drawingsOf(features, { counterpart, scale, titles: [file, compare ?? ""] });
      await writeFolder(out, drawings, { force });
      files = [...drawings.keys()];
    }
    if (chart !== undefined) {
      const rows = features.map((l) => ({
        name: l.name,
        values: [l, ...(compare === undefined ? [] : [counterpart(l)])].map((f) => f?.redundancy.redundancy),
      }));
      const series = [file, ...(compare === undefined ? [] : [compare])].map((f) => basename(f));
      const note = count === 1 ? "Measured on one image." : `Measured on ${count} images.`;
      const svg = redundancyChart(rows, { series, note });
      await writeFileWhole(chart, /\.png$/i.test(chart) ? await pngOf(svg) : svg, { force });
    }
    const documents = features.map((l) => {
      const beside = counterpart(l);
      return { ...documentOf(l), ...(beside ? { compared: documentOf(beside) } : {}) };
    });
    return {
      document: {
        images: count,
        layers: documents,
        ...(compare === undefined ? {} : { compare }),
        ...(out === undefined ? {} : { out, files }),
        ...(chart === undefined ? {} : { chart }),
      },
      text: ({ dim }) =>
        [
          textOf(features, counterpart, compare !== undefined),
          dim(`${count === 1 ? "one image" : `${count} images`}; figures are defined in docs/features.md`),
          ...(out === undefined ? [] : [`${files.length} pictures in ${out}`]),
          ...(chart === undefined ? [] : [`the chart is ${chart}`]),
        ].join("\n"),
    };
  },
});

function chartFile(text: string): string {
  if (/\.(svg|png)$/i.test(text)) return text;
  throw new ScconvError("usage", "not a possible value", {
    ...{ where: "--chart", got: `"${text}"`, need: "a file name that ends in .svg or .png" },
  });
}
