import type { Graph, Node } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import type { NamedTensors } from "../runtime/session.js";
import { halvesOf, type NodesByValue, partsByMask, partsByWeights, type SruParts } from "./sru-parts.js";

/** Values inside an SCConv unit that say what it decides, where the graph computes them. */
export interface UnitProbe {
  readonly name: string;
  /**
   * Where the SRU holds a pixel to be rich: a mask (N, C, H, W), whose second half of the channels says the opposite if it is turned,
   * or x (N, C, H, W) above τ (N, C, 1, 1), below it where Σγ < 0.
   */
  readonly rich:
    | { readonly mask: string; readonly turned: boolean }
    | { readonly x: string; readonly tau: string; readonly below: boolean }
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
    const masks = nodes.filter((n) => (n.op === "Greater" || n.op === "Less") && rank4(n));
    const kept = nodes.filter((n) => n.op === "ThresholdedRelu" && rank4(n));
    const beta = nodes.find((n) => {
      const shape = shapeOf(n);
      return n.op === "Sigmoid" && shape?.length === 4 && shape[2] === 1 && shape[3] === 1;
    });
    // The trainable form compares w·ĝ with a limit, the folded one x, or each half of its channels, with τ.
    const mask = masks[0]?.outputs[0];
    const by = { makers, readers };
    const parts = [...kept.map((n) => thresholded(n, by)), ...masks.map((n) => maskedHalf(n, graph, by))];
    const compared = comparedWhole(parts, makers);
    if (compared) {
      const { rich: values, ...rich } = compared;
      return { name, rich, beta: beta?.outputs[0], sru: { input: rich.x, rich: values } };
    }
    const rich = mask === undefined ? undefined : { mask, turned: halvesOf(mask, readers) !== undefined };
    const sru = mask === undefined ? partsByWeights(nodes, graph) : partsByMask(mask, graph, by);
    return { name, rich, beta: beta?.outputs[0], sru };
  });
}

/** x ⊙ [x > τ], of all channels or of a half of them: x, τ and what comes out. */
interface Compared {
  readonly x: string;
  readonly tau: string;
  readonly below: boolean;
  readonly rich: string;
}

/** Folded behind a ReLU: τ·ThresholdedRelu(x · 1/τ), τ = max(τ, ε), which says nothing of pixels that are 0 anyhow. */
function thresholded(node: Node, { makers, readers }: NodesByValue): Compared | undefined {
  const scaled = makers.get(node.inputs[0]!);
  const positive = makers.get(makers.get(scaled?.inputs[1] ?? "")?.inputs[0] ?? "");
  const [x, tau] = [scaled?.inputs[0], positive?.inputs[0]];
  const rich = readers.get(node.outputs[0]!)?.find((n) => n.op === "Mul")?.outputs[0];
  return scaled?.op === "Mul" && positive?.op === "Max" && x && tau && rich
    ? { x, tau, below: false, rich }
    : undefined;
}

/** Folded behind anything else: a half of x times its mask. */
function maskedHalf(node: Node, graph: Graph, by: NodesByValue): Compared | undefined {
  const [x, tau] = node.inputs as [string, string];
  const parts = by.makers.get(x)?.op === "Split" ? partsByMask(node.outputs[0]!, graph, by) : undefined;
  return parts && "rich" in parts ? { x, tau, below: node.op === "Less", rich: parts.rich[0]! } : undefined;
}

/** Of what is compared by halves the whole, with its rich parts in the order of the channels. */
function comparedWhole(
  found: readonly (Compared | undefined)[],
  makers: NodesByValue["makers"],
): (Omit<Compared, "rich"> & { readonly rich: readonly string[] }) | undefined {
  const [first, second] = found;
  if (!first || found.length > 2) return undefined;
  if (found.length === 1) return { ...first, rich: [first.rich] };
  const [x, tau] = [makers.get(first.x), makers.get(first.tau)];
  const outputs = x?.outputs ?? [];
  if (!second || x?.op !== "Split" || tau?.op !== "Split") return undefined;
  if (outputs.length !== 2 || !outputs.includes(second.x) || !tau.outputs.includes(second.tau)) {
    return undefined;
  }
  const rich = first.x === outputs[0] ? [first.rich, second.rich] : [second.rich, first.rich];
  return { x: x.inputs[0]!, tau: tau.inputs[0]!, below: first.below, rich };
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
      ...(p.rich === undefined ? [] : "mask" in p.rich ? [p.rich.mask] : [p.rich.x, p.rich.tau]),
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
          const tau = numbersOf(values, probe.rich.tau);
          const sign = probe.rich.below ? -1 : 1;
          rich[i]!.add(x.dims, (k, plane) => (sign * (x.numbers[k]! - tau.numbers[plane]!) > 0 ? 1 : 0));
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
