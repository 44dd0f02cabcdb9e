import type { Tensor } from "../base/tensor.js";
import type { Graph, Node } from "../graph/ir.js";
import { cruNames } from "../nn/cru.js";
import type { NamedTensors } from "../runtime/session.js";
import type { Maps } from "./maps.js";

/** Where a graph holds what a unit's SRU separates: x ("input") and its rich part X1. */
export type SruParts =
  | {
      readonly input: string;
      /** One value, or two, of the first and of the second half of the channels. */
      readonly rich: readonly string[];
      /** X2 of a soft gate; else it is x − X1. */
      readonly poor?: string;
      /** `rich` holds X1 in the first half of its channels, and X2 in the second (nn/sru.ts). */
      readonly turned?: boolean;
    }
  /** Scope `channel` when it is folded: which channels of x are rich is said by the weights. */
  | { readonly input: string; readonly open: readonly boolean[] };

/** One image at the four stations of an SRU, each of all its channels. */
export interface SruMaps {
  readonly input: Maps;
  /** X1 = W1 ⊙ x. */
  readonly rich: Maps;
  /** X2 = W2 ⊙ x. */
  readonly poor: Maps;
  /** The two halves crosswise: X11 + X22, X12 + X21. */
  readonly out: Maps;
}

/**
 * What reads a gate's mask: it becomes a number, once (hard), or once for each part (soft), and is multiplied with x. Where its second
 * half is turned, number and x are multiplied as halves, (N, 2, CHW/2).
 */
export function partsByMask(
  mask: string,
  graph: Graph,
  { makers, readers }: NodesByValue,
): SruParts | undefined {
  const halves = halvesOf(mask, readers);
  if (halves) {
    const product = readers.get(halves)?.find((n) => n.op === "Mul");
    const whole = makers.get(product?.inputs.find((i) => i !== halves) ?? "");
    return product && whole?.op === "Reshape"
      ? { input: whole.inputs[0]!, rich: [product.outputs[0]!], turned: true }
      : undefined;
  }
  let [input, rich, poor]: (string | undefined)[] = [];
  for (const weight of readers.get(mask) ?? []) {
    const share = weight.op === "Where" ? graph.initializers.get(weight.inputs[1]!)?.numbers()[0] : 1;
    if ((weight.op !== "Cast" && weight.op !== "Where") || share === undefined) continue;
    const product = (readers.get(weight.outputs[0]!) ?? []).find((n) => n.op === "Mul");
    if (!product) continue;
    input = product.inputs.find((i) => i !== weight.outputs[0]);
    if (share === 0) poor = product.outputs[0];
    else rich = product.outputs[0];
  }
  return input !== undefined && rich !== undefined
    ? { input, rich: [rich], ...(poor === undefined ? {} : { poor }) }
    : undefined;
}

export interface NodesByValue {
  readonly makers: ReadonlyMap<string, Node>;
  readonly readers: ReadonlyMap<string, readonly Node[]>;
}

/** A mask as a number by halves, (N, 2, CHW/2), where there is such a thing: its second half is turned then. */
export function halvesOf(mask: string, readers: NodesByValue["readers"]): string | undefined {
  const weight = readers.get(mask)?.find((n) => n.op === "Cast")?.outputs[0];
  return readers.get(weight ?? "")?.find((n) => n.op === "Reshape")?.outputs[0];
}

/**
 * An SRU of scope `channel` that was folded into the squeezes (α = 1/2): what is open in the first half of the channels, or
 * closed in the second, goes to the upper squeeze alone, and everything else to the lower one alone.
 */
export function partsByWeights(nodes: readonly Node[], graph: Graph): SruParts | undefined {
  const squeeze = (name: RegExp) => nodes.find((n) => n.op === "Conv" && name.test(n.name));
  const [up, low] = [squeeze(/\.squeeze_up(_\d+)?$/), squeeze(/\.squeeze_low(_\d+)?$/)];
  const [onUp, onLow] = [up, low].map((n) => n && readsOf(graph.initializers.get(n.inputs[1]!)));
  if (!up || !onUp || onUp.length % 2 !== 0 || onUp.length !== onLow?.length) return undefined;
  if (up.inputs[0] !== low!.inputs[0] || onUp.some((reads, c) => reads === onLow[c])) return undefined;
  const pool = nodes.find((n) => n.op === "AveragePool" && n.outputs[0] === up.inputs[0]);
  return {
    input: pool?.inputs[0] ?? up.inputs[0]!,
    open: onUp.map((reads, c) => (c < onUp.length / 2 ? reads : !reads)),
  };
}

/** By input channel of a 1×1 convolution, whether it has a weight. */
function readsOf(weight: Tensor | undefined): boolean[] | undefined {
  if (weight?.dims.length !== 4) return undefined;
  const [out, channels] = weight.dims as [number, number, number, number];
  const w = weight.numbers();
  return Array.from({ length: channels }, (_, c) =>
    Array.from({ length: out }, (_, o) => w[o * channels + c]!).some((v) => v !== 0),
  );
}

/** Why a unit's SRU is not found. */
export function whyNoSru(graph: Graph, unit: string): string {
  if (graph.initializers.has(`${unit}.sru.gn.weight`)) return "its gate is not as scconv writes it";
  return graph.initializers.has(`${unit}.${cruNames.gwc}`)
    ? "the unit has none (order c)"
    : "it was folded into the convolutions behind it, and can not be told from them";
}

export const valuesOf = (parts: SruParts): readonly string[] =>
  "open" in parts ? [parts.input] : [parts.input, ...parts.rich, ...(parts.poor ? [parts.poor] : [])];

/** Of the first image of a batch. */
export function sruMaps(parts: SruParts, values: NamedTensors): SruMaps {
  const { dims, ...x } = numbersOf(values, parts.input);
  const [, maps = 0, height = 0, width = 0] = dims;
  const plane = height * width;
  const half = (maps / 2) * plane;
  const of = (at: (k: number) => number): Maps => ({
    values: Float32Array.from({ length: maps * plane }, (_, k) => at(k)),
    ...{ maps, height, width },
  });
  const richOf =
    "open" in parts
      ? undefined
      : inChannels(
          parts.rich.map((name) => numbersOf(values, name).numbers),
          half,
        );
  const poorOf = "poor" in parts && parts.poor ? numbersOf(values, parts.poor).numbers : undefined;
  const input = of((k) => x.numbers[k]!);
  const turned = "turned" in parts && parts.turned;
  const rich = of(
    richOf
      ? (k) => (turned && k >= half ? x.numbers[k]! - richOf(k) : richOf(k))
      : (k) => ("open" in parts && parts.open[Math.floor(k / plane)] ? x.numbers[k]! : 0),
  );
  const poor = of(poorOf ? (k) => poorOf[k]! : (k) => x.numbers[k]! - rich.values[k]!);
  return {
    ...{ input, rich, poor },
    out: of((k) => rich.values[k]! + poor.values[k < half ? k + half : k - half]!),
  };
}

/** The k-th number of the first image, of all channels or of their two halves. */
const inChannels =
  ([first, second]: readonly ArrayLike<number>[], half: number) =>
  (k: number): number =>
    second && k >= half ? second[k - half]! : first![k]!;

const numbersOf = (values: NamedTensors, name: string) => {
  const tensor = values.get(name)!;
  return { dims: tensor.dims, numbers: tensor.numbers() };
};
