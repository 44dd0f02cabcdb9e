import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { prune } from "../graph/walk.js";
import type { Progress } from "../runtime/progress.js";
import type { Engine, NamedTensors } from "../runtime/session.js";
import { type FeatureLayer, unitScopes } from "./layers.js";
import type { Maps } from "./maps.js";
import { type MomentsBuilder, momentsOf } from "./moments.js";
import { type Redundancy, redundancyOf } from "./redundancy.js";
import { type SruMaps, sruMaps, valuesOf, whyNoSru } from "./sru-parts.js";
import { type UnitFigures, unitObserver, unitProbes } from "./unit-probes.js";

export interface LayerFeatures extends FeatureLayer {
  readonly redundancy: Redundancy;
  /** Of the first image. */
  readonly first: Maps;
  /** Where the layer is an SCConv unit. */
  readonly unit?: UnitFigures;
  /** Of a unit, where it was asked for: the first image inside its SRU, or why that is not to be found. */
  readonly sru?: SruMaps | { readonly missing: string };
}

export interface ObserveOptions {
  readonly threads?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The file, for messages. */
  readonly where: string;
  /** How many images there are, for the progress. */
  readonly count?: number | undefined;
  /** Takes layers whose value turns out to be no (N, C, H, W) silently out; else the first of them is refused. */
  readonly skipOthers?: boolean | undefined;
  /** Keeps what the SRUs of units read, separate and make of the first image; default no. */
  readonly sru?: boolean | undefined;
}

/**
 * Runs a graph on images, one batch of them after the other, and measures the maps of the layers: the values are made outputs of
 * the graph. Only moments are kept of each image, so memory does not grow with their number. Throws `bad-input` where a
 * layer's value is no (N, C, H, W), `not-finite`.
 */
export async function observeFeatures(
  engine: Engine,
  graph: Graph,
  layers: readonly FeatureLayer[],
  images: Iterable<NamedTensors> | AsyncIterable<NamedTensors>,
  { threads, progress, signal, where, count, skipOthers = false, sru = false }: ObserveOptions,
): Promise<LayerFeatures[]> {
  if (layers.length === 0) return [];
  const wanted = new Set(layers.filter((l) => l.op === "SCConv").map((l) => l.name));
  const probes = unitProbes(
    graph,
    unitScopes(graph).filter((s) => wanted.has(s)),
  );
  const units = unitObserver(probes);
  const inside = new Map<string, SruMaps>();
  const parts = sru ? probes.flatMap((p) => (p.sru ? [{ name: p.name, parts: p.sru }] : [])) : [];
  const names = new Set([
    ...layers.map((l) => l.value),
    ...units.values,
    ...parts.flatMap((p) => valuesOf(p.parts)),
  ]);
  const session = await engine.open(probing(graph, names), { threads });
  const moments = new Map<string, MomentsBuilder>();
  const first = new Map<string, Maps>();
  const bar = progress?.phase(`features of ${layers.length} layers`, count);
  try {
    let done = 0;
    for await (const feeds of images) {
      signal?.throwIfAborted();
      const values = await session.run(feeds);
      for (const { name, value } of layers) {
        if (first.has(value) && first.get(value)!.maps === 0) continue;
        const tensor = values.get(value)!;
        const [n, c = 0, h = 0, w = 0] = tensor.dims;
        if (tensor.dims.length !== 4 || n === 0 || c * h * w === 0) {
          if (!skipOthers) throw noMaps(name, tensor.dims, where);
          first.set(value, { values: [], maps: 0, height: 0, width: 0 });
          continue;
        }
        const numbers = tensor.numbers();
        if (!moments.has(value)) moments.set(value, momentsOf(c, name));
        moments.get(value)!.add(numbers, h * w);
        if (!first.has(value)) {
          first.set(value, {
            values: Float32Array.from({ length: c * h * w }, (_, k) => numbers[k]!),
            ...{ maps: c, height: h, width: w },
          });
        }
      }
      units.add(values);
      if (done === 0) for (const { name, parts: p } of parts) inside.set(name, sruMaps(p, values));
      done += feeds.values().next().value?.dims[0] ?? 1;
      bar?.tick(done);
    }
  } finally {
    bar?.done();
    await session.release();
  }
  return layers
    .filter((l) => first.get(l.value)!.maps > 0)
    .map((layer) => {
      const unit = layer.op === "SCConv" ? units.figures(layer.name) : undefined;
      return {
        ...layer,
        redundancy: redundancyOf(moments.get(layer.value)!.result()),
        first: first.get(layer.value)!,
        ...(unit ? { unit } : {}),
        ...(unit && sru ? { sru: inside.get(layer.name) ?? { missing: whyNoSru(graph, layer.name) } } : {}),
      };
    });
}

/** The graph with these values as its outputs, and without what they do not need. */
function probing(graph: Graph, names: ReadonlySet<string>): Graph {
  const own = new Map(graph.outputs.map((o) => [o.name, o]));
  const outputs = [...names].map((name) => own.get(name) ?? { name, type: graph.types.get(name) });
  return prune({ ...graph, outputs });
}

const noMaps = (name: string, dims: readonly number[], where: string): ScconvError =>
  new ScconvError("bad-input", "the layer makes no feature maps", {
    where: `${where}, "${name}"`,
    got: dims.length === 0 ? "a scalar" : dims.join("×"),
    need: "(N, C, H, W)",
  });
