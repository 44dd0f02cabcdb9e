import { availableParallelism } from "node:os";
import { featureLayers } from "../../features/layers.js";
import { observeFeatures } from "../../features/observe.js";
import { type Graph, opsetOf } from "../../graph/ir.js";
import { checkWritable, writeFileWhole } from "../../host/node/files.js";
import { type ReadModel, readModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { profileNodes } from "../../host/node/profile-nodes.js";
import { perImage } from "../../ops/per-image.js";
import type { InspectedLayer, LayerRedundancy } from "../../report/inspected.js";
import { inspectedPage } from "../../report/inspected-page.js";
import { layerTable } from "../../surgery/layer-table.js";
import { type CommandContext, command } from "../command.js";
import { commandLine } from "../command-line.js";
import { givesImages, type ImageFlags, imageFeeds, imageFlags } from "../features/images.js";
import { inspectedTable } from "../inspect/inspected-table.js";
import { version } from "../version.js";

interface Options extends ImageFlags {
  readonly all?: boolean;
  readonly html?: string;
  readonly time?: boolean;
  readonly force?: boolean;
}

const RUNS = 30;

export default command<[string], Options>({
  configure: (c) =>
    imageFlags(c.argument("<model>", "an ONNX file"), {
      size: "height and width, where the file leaves them open (also of --data's images)",
    })
      .option("--all", "list every node, not only those with weights or multiply-adds")
      .option("--time", "how long each layer takes here, by the engine's profile")
      .option("--html <file>", "the same as a page: layers with bars")
      .option("--force", "replace an existing page"),

  async run([file], { all, html, time, force, ...flags }, context) {
    const images = givesImages(flags);
    if (html !== undefined) await checkWritable(html, { force });
    const read = await readModel(file, context);
    const graph = perImage(read.graph, flags.size);
    const times = time ? await timesOf(graph, { file, size: flags.size }, context) : undefined;
    const measured = images ? await redundancyOf(read, { file, flags }, context) : undefined;
    const { layers, sized, ...totals } = layerTable(read.graph, {
      size: flags.size,
      opset: opsetOf(read.model.graph),
    });
    const inspected = {
      ...{ ...totals, bytes: read.size },
      // A row for each node, in their order.
      layers: layers.map((layer, i): InspectedLayer => {
        const node = graph.nodes[i]!;
        const ms = times?.ms.get(node);
        const redundancy = measured?.byValue.get(node.outputs[0] ?? "");
        return {
          ...layer,
          ...(ms === undefined ? {} : { ms }),
          ...(redundancy === undefined ? {} : { redundancy }),
        };
      }),
      ...(times ? { timing: times.timing } : {}),
      ...(measured ? { images: measured.count } : {}),
    };
    if (html !== undefined) {
      const page = inspectedPage(inspected, { file, command: commandLine(context.argv), version });
      await writeFileWhole(html, page, { force });
    }
    return {
      document: { ...inspected, ...(html === undefined ? {} : { html }) },
      text: (paint) =>
        [
          inspectedTable(inspected, { paint, all: Boolean(all), sized }),
          ...(html === undefined ? [] : [`the page is ${html}`]),
        ].join("\n"),
    };
  },
});

async function timesOf(
  graph: Graph,
  { file, size }: { file: string; size: number | undefined },
  { threads = availableParallelism(), seed, progress }: CommandContext,
) {
  const bar = progress.phase("time of the layers", RUNS);
  const profile = await profileNodes(graph, {
    ...{ threads, seed, size, runs: RUNS, where: file },
    onRun: (done) => bar.tick(done),
  });
  bar.done();
  const { ms, otherMs, runs } = profile;
  const total = [...ms.values()].reduce((a, b) => a + b, otherMs);
  return { ms, timing: { runs, threads, runtime: nodeEngine().runtime, ms: total, engineMs: otherMs } };
}

/** By the value that a convolution makes itself, or a unit hands on. */
async function redundancyOf(
  read: ReadModel,
  { file, flags }: { file: string; flags: ImageFlags },
  context: CommandContext,
) {
  const layers = featureLayers(read.graph, { where: file });
  const own = new Map(
    featureLayers(read.graph, { where: file, raw: true }).map((l) => [l.name, l.value] as const),
  );
  const { feeds, count, close } = await imageFeeds(read, flags, file, context);
  try {
    const features = await observeFeatures(nodeEngine(), read.graph, layers, feeds, {
      ...context,
      ...{ where: file, count },
    });
    const byValue = new Map<string, LayerRedundancy>();
    for (const { name, redundancy: r } of features) {
      const { maps, dead, effectiveRank, redundancy } = r;
      byValue.set(own.get(name)!, { maps, dead, effectiveRank, redundancy });
    }
    return { count, byValue };
  } finally {
    await close();
  }
}
