import type { Graph, Node } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import type { NamedTensors } from "../runtime/session.js";
import { halvesOf, partsByMask, partsByWeights, type SruParts } from "./sru-parts.js";

/** Values inside an SCConv unit that say what it decides, where the graph computes them. */
export interface UnitProbe {
  readonly name: string;
  /**
   * Where the SRU holds a pixel to be rich: a mask (N, C, H, W), whose second half of the channels says the opposite if it is turned,
   * or x (N, C, H, W) above τ (N, C, 1, 1).
   */
  readonly rich:
    | { readonly mask: string; readonly turned: boolean }
    | { readonly x: string; readonly above: string }
    | undefined;
  /** β₁, (N, C_out, 1, 1); β₂ = 1 − β₁. */
  readonly beta: string | undefined;
  /** What the SRU reads and separates. */
  readonly sru: SruParts | undefined;
}

/** Of the units by their scopes (`unitScopes`). */
export function unitProbes(graph: Graph, scopes: readonly string[]): UnitProbe[] {
  const makers = producers(graph);
  const readers = consumers(graph);
  return scopes.map((name) => {
    const nodes = graph.nodes.filter((n) => n.name.startsWith(`${name}.`) && n.domain === "");
    const shapeOf = (n: Node) => graph.types.get(n.outputs[0]!)?.shape;
    const rank4 = (n: Node) => shapeOf(n)?.length === 4;
    // The trainable form compares w·ĝ with a limit, the folded one x with τ.
    const mask = nodes.find((n) => (n.op === "Greater" || n.op === "Less") && rank4(n))?.outputs[0];
    const kept = nodes.find((n) => n.op === "ThresholdedRelu" && rank4(n));
    const beta = nodes.find((n) => {
      const shape = shapeOf(n);
      return n.op === "Sigmoid" && shape?.length === 4 && shape[2] === 1 && shape[3] === 1;
    });
    const rich =
      mask === undefined
        ? kept && thresholded(kept, makers)
        : { mask, turned: halvesOf(mask, readers) !== undefined };
    const scaledBack = kept && readers.get(kept.outputs[0]!)?.find((n) => n.op === "Mul")?.outputs[0];
    const sru =
      mask !== undefined
        ? partsByMask(mask, graph, { makers, readers })
        : rich && "x" in rich && scaledBack
          ? { input: rich.x, rich: scaledBack }
          : partsByWeights(nodes, graph);
    return { name, rich, beta: beta?.outputs[0], sru };
  });
}

/** Folded behind a ReLU: ThresholdedRelu(x · 1/max(τ, ε)), which says nothing of pixels that are 0 anyhow. */
function thresholded(node: Node, makers: ReadonlyMap<string, Node>): UnitProbe["rich"] {
  const scaled = makers.get(node.inputs[0]!);
  const positive = makers.get(makers.get(scaled?.inputs[1] ?? "")?.inputs[0] ?? "");
  const [x, above] = [scaled?.inputs[0], positive?.inputs[0]];
  return scaled?.op === "Mul" && positive?.op === "Max" && x && above ? { x, above } : undefined;
}

/** What a unit decided on all images. */
export interface UnitFigures {
  /** Share of pixels that the SRU holds to be rich, by input channel. */
  readonly rich?: readonly number[];
  /** Mean weight of the expensive branch, by output channel; `beta2` = 1 − `beta1` that of the cheap one. */
  readonly beta1?: readonly number[];
  readonly beta2?: readonly number[];
}

/** A mean over images, weighed by the pixels that each has, by channel. */
export interface ChannelMean {
  add(dims: readonly number[], valueAt: (index: number, plane: number) => number): void;
  means(): readonly number[];
}

/** Mean by channel of (N, C, H, W); `plane` is the index into (N, C). */
export function channelMean(): ChannelMean {
  let sums: Float64Array | undefined;
  let count = 0;
  return {
    add([n = 1, c = 1, h = 1, w = 1], valueAt) {
      sums ??= new Float64Array(c);
      for (let plane = 0, k = 0; plane < n * c; plane++)
        for (let p = 0; p < h * w; p++, k++) sums[plane % c]! += valueAt(k, plane);
      count += n * h * w;
    },
    means: () => Array.from(sums ?? [], (s) => s / count),
  };
}

/** Gathers what units decide from the values of one image after the other. */
export function unitObserver(probes: readonly UnitProbe[]) {
  const rich = probes.map(() => channelMean());
  const beta = probes.map(() => channelMean());
  return {
    values: probes.flatMap((p) => [
      ...(p.rich === undefined ? [] : "mask" in p.rich ? [p.rich.mask] : [p.rich.x, p.rich.above]),
      ...(p.beta === undefined ? [] : [p.beta]),
    ]),
    add(values: NamedTensors): void {
      probes.forEach((probe, i) => {
        if (probe.rich && "mask" in probe.rich) {
          const { dims, ...mask } = numbersOf(values, probe.rich.mask);
          const [, channels = 1] = dims;
          const { turned } = probe.rich;
          const isTurned = (plane: number) => turned && plane % channels >= channels / 2;
          rich[i]!.add(dims, (k, plane) => (Boolean(mask.numbers[k]) === isTurned(plane) ? 0 : 1));
        } else if (probe.rich) {
          const x = numbersOf(values, probe.rich.x);
          const tau = numbersOf(values, probe.rich.above);
          rich[i]!.add(x.dims, (k, plane) => (x.numbers[k]! > tau.numbers[plane]! ? 1 : 0));
        }
        if (probe.beta === undefined) return;
        const { dims, numbers } = numbersOf(values, probe.beta);
        beta[i]!.add(dims, (k) => numbers[k]!);
      });
    },
    figures: (name: string): UnitFigures | undefined => {
      const i = probes.findIndex((p) => p.name === name);
      if (i < 0) return undefined;
      const { sru, ...probe } = probes[i]!;
      const beta1 = probe.beta === undefined ? undefined : beta[i]!.means();
      const fixed = sru && "open" in sru ? sru.open.map(Number) : undefined;
      return {
        ...(probe.rich ? { rich: rich[i]!.means() } : fixed ? { rich: fixed } : {}),
        ...(beta1 ? { beta1, beta2: beta1.map((b) => 1 - b) } : {}),
      };
    },
  };
}

const numbersOf = (values: NamedTensors, name: string) => {
  const tensor = values.get(name)!;
  return { dims: tensor.dims, numbers: tensor.numbers() };
};
