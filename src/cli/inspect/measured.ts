import { availableParallelism } from "node:os";
import { featureLayers } from "../../features/layers.js";
import { observeFeatures } from "../../features/observe.js";
import type { Graph } from "../../graph/ir.js";
import type { ReadModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { profileNodes } from "../../host/node/profile-nodes.js";
import type { LayerRedundancy } from "../../report/inspected.js";
import type { CommandContext } from "../command.js";
import type { ImageFlags } from "../features/image-flags.js";
import { imageFeeds } from "../features/images.js";

const RUNS = 30;

/** How long each node takes here, by the engine's profile of one image. */
export async function timesOf(
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
export async function redundancyOf(
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
