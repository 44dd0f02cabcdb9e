import { ScconvError } from "../../base/errors.js";
import type { DataSet, Normalize } from "../../data/data-set.js";
import { counterparts, type FeatureLayer, featureLayers } from "../../features/layers.js";
import { type LayerFeatures, observeFeatures } from "../../features/observe.js";
import type { SruMaps } from "../../features/sru-parts.js";
import type { Graph } from "../../graph/ir.js";
import { bindInputs } from "../../host/node/model-inputs.js";
import type { Engine, NamedTensors } from "../../runtime/session.js";
import type { MapFigures, RedundancyReport, SlimReport } from "../../surgery/report.js";
import type { CommandContext } from "../command.js";
import { dataFeeds, usualBatch } from "../features/images.js";

/** Both networks, and where their images come from. */
export interface Compared {
  readonly original: Graph;
  readonly slimmed: Graph;
  readonly layers: SlimReport["layers"];
  readonly data: DataSet;
  /** The name of the networks' input. */
  readonly input: string;
  readonly normalize: Normalize;
  /** Of the original, for messages. */
  readonly where: string;
}

export interface CompareOptions {
  /** Enough for the figures of usual networks to settle, and little beside the fine-tuning. */
  readonly images?: number;
  /** Values of a batch's maps that are looked at in one pass (64 MB of them): layers that make more take more passes. */
  readonly atOnce?: number;
}

/** A layer in both networks. */
export interface LayerPair {
  /** The convolution's name in the original. */
  readonly name: string;
  readonly before: LayerFeatures;
  readonly after: LayerFeatures;
}

export interface Comparison {
  readonly redundancy: RedundancyReport;
  /** A few layers, with the maps of one image. */
  readonly shown: readonly LayerPair[];
  /** Inside the unit of one of them; or why none of them can be looked into. */
  readonly sru: (LayerPair & { readonly maps: SruMaps }) | { readonly missing: string } | undefined;
  /** The image itself, (C, H, W) as it was fed. */
  readonly image: Float32Array;
}

/**
 * Measures the maps of the swapped layers in both networks on the same images, drawn from the evaluation split. Memory is bounded:
 * of a layer there are moments of all images and the maps of one; and of most layers only figures once it is done.
 */
export async function compareLayers(
  engine: Engine,
  compared: Compared,
  context: Pick<CommandContext, "threads" | "signal" | "seed" | "progress">,
  { images = 200, atOnce = 2 ** 24 }: CompareOptions = {},
): Promise<Comparison> {
  const started = performance.now();
  const { original, slimmed, data, where } = compared;
  const swapped = new Set(compared.layers.flatMap((l) => (l.to === undefined ? [] : [l.name])));
  const layers = featureLayers(original, { where }).filter((l) => swapped.has(l.name));
  const places = counterparts({ graph: original, layers }, slimmed, { where });
  const pairs = layers.flatMap((before) => {
    const after = places.get(before.name);
    return after ? [{ before, after }] : [];
  });
  if (pairs.length === 0) {
    throw new ScconvError("unsupported", "the units are not found in the slimmed network", { where });
  }
  const telling = new Set([0, (pairs.length - 1) >> 1, pairs.length - 1]);
  const count = Math.min(images, data.test!.length);
  const groups = inGroups(pairs, compared, atOnce);
  const phase = context.progress.phase("compare layers", 2 * groups.length * count);
  let done = 0;
  const observe = async (graph: Graph, chosen: readonly FeatureLayer[], from = count, sru = false) => {
    const feeds = watched(imagesOf(compared, from, context.seed), (n) => {
      done += n;
      if (from === count) phase.tick(done);
    });
    const { threads, signal } = context;
    const found = await observeFeatures(engine, graph, chosen, feeds, { threads, signal, where, sru });
    return new Map(found.map((l) => [l.value, l]));
  };
  try {
    const rows: RedundancyReport["layers"][number][] = [];
    const shown: LayerPair[] = [];
    for (const group of groups) {
      const before = await observe(
        original,
        group.map((p) => p.before),
      );
      const after = await observe(
        slimmed,
        group.map((p) => p.after),
      );
      for (const p of group) {
        const { name } = p.before;
        const pair = { name, before: before.get(p.before.value)!, after: after.get(p.after.value)! };
        if (telling.has(rows.length)) shown.push(pair);
        const figures = { before: figuresOf(pair.before), after: figuresOf(pair.after) };
        rows.push({ name, through: pair.before.through, ...figures });
      }
    }
    const image = await firstImage(compared, context.seed);
    const sru = await liveliestSru(shown, async (l) => (await observe(slimmed, [l], 1, true)).get(l.value)!);
    const seconds = (performance.now() - started) / 1000;
    return { redundancy: { images: count, seconds, layers: rows }, shown, sru, image };
  } finally {
    phase.done();
  }
}

/** The same ones whenever it is called. */
const imagesOf = (
  { data, input, normalize }: Compared,
  count: number,
  seed: number,
): AsyncGenerator<NamedTensors> => dataFeeds(data, { input, normalize, count, seed });

async function firstImage(compared: Compared, seed: number): Promise<Float32Array> {
  for await (const feeds of imagesOf(compared, 1, seed))
    return feeds.get(compared.input)!.data as Float32Array;
  return new Float32Array(0);
}

async function* watched(feeds: AsyncIterable<NamedTensors>, seen: (images: number) => void) {
  for await (const batch of feeds) {
    yield batch;
    seen(batch.values().next().value?.dims[0] ?? 1);
  }
}

interface Places {
  readonly before: FeatureLayer;
  readonly after: FeatureLayer;
}

/** Neighbours, as many as may be looked at in one pass. */
function inGroups(pairs: readonly Places[], { original, data, where }: Compared, atOnce: number): Places[][] {
  const { types } = bindInputs(original, { batch: usualBatch(data), size: data.height, where });
  const groups: Places[][] = [];
  let left = 0;
  for (const pair of pairs) {
    const shape = types.get(pair.before.value)?.shape ?? [Number.NaN];
    const size = shape.reduce<number>((n, d) => n * (typeof d === "number" ? d : Number.NaN), 1);
    // What is not known goes by itself.
    if (groups.length === 0 || !(size <= left)) {
      groups.push([]);
      left = atOnce;
    }
    groups.at(-1)!.push(pair);
    left -= size;
  }
  return groups;
}

/** From 0, where a gate is open on half of the pixels, to 1/2: open or closed everywhere, or not known. */
function oneSided({ unit }: LayerFeatures): number {
  const { rich = [] } = unit ?? {};
  return rich.length === 0 ? 0.5 : Math.abs(rich.reduce((a, b) => a + b, 0) / rich.length - 0.5);
}

async function liveliestSru(
  shown: readonly LayerPair[],
  look: (unit: LayerFeatures) => Promise<LayerFeatures>,
): Promise<Comparison["sru"]> {
  let missing: { readonly missing: string } | undefined;
  for (const pair of [...shown].sort((a, b) => oneSided(a.after) - oneSided(b.after))) {
    const { sru } = await look(pair.after);
    if (sru && !("missing" in sru)) return { ...pair, maps: sru };
    missing ??= sru;
  }
  return missing;
}

const figuresOf = ({ redundancy: r }: LayerFeatures): MapFigures => ({
  ...{ maps: r.maps, pixels: r.pixels, dead: r.dead },
  similarity: { median: r.similarity.median ?? null, alike: r.similarity.alike },
  ...{ effectiveRank: r.effectiveRank, redundancy: r.redundancy },
});
