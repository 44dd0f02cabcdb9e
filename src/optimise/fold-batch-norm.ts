/*
 * Conv → BatchNormalization (inference): W′ = a·W, b′ = a·(b − μ) + β with a = γ/√(σ² + ε), channel by channel. Exact up to
 * rounding: both are affine in the convolution's result. Between them may stand what commutes with such a map: a concatenation of
 * channels (SlimConv), a sum, whose first term takes the shift (SPConv), and a nearest-neighbour Resize (all three: OctConv).
 */
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, type Graph, intAttr, type Node, stringAttr } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import { rebuild } from "../ops/rebuild.js";

/** How many values above a batch norm convolutions are looked for: units need four, and a file may nest sums without end. */
const FARTHEST = 16;

/** y = scale·x + shift for each channel. */
export interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** From scale, shift, mean and variance. */
export function affineOf(parameters: readonly ArrayLike<number>[], epsilon: number): Affine {
  const [gamma, beta, mean, variance] = parameters as [
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>,
    ArrayLike<number>,
  ];
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c]! + epsilon));
  return { scale, shift: scale.map((a, c) => beta[c]! - a * mean[c]!) };
}

/**
 * Folds every batch norm into the convolutions that its input is made of, where nothing else reads what lies between and all parameters are
 * constants.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const maker = producers(graph);
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const isConstant = (name: string) => name === "" || graph.initializers.has(name);
  const channelsOf = (value: string): number => {
    const channels = graph.types.get(value)?.shape?.[1];
    return typeof channels === "number" ? channels : Number.NaN;
  };

  /** Whether `value` can be made with an affine map of its channels at no cost. */
  const takes = (value: string, above = 1): boolean => {
    const made = maker.get(value);
    if (above > FARTHEST || made?.domain !== "" || readers.get(value)?.length !== 1 || outputs.has(value))
      return false;
    switch (made.op) {
      case "Conv":
        return made.inputs.slice(1).every(isConstant);
      case "Concat":
        return (
          intAttr(made, "axis", 0) === 1 &&
          made.inputs.every((part) => channelsOf(part) > 0 && takes(part, above + 1))
        );
      case "Add":
        return made.inputs.every((term) => channelsOf(term) === channelsOf(value) && takes(term, above + 1));
      case "Resize":
        return (
          stringAttr(made, "mode", "nearest") === "nearest" &&
          stringAttr(made, "coordinate_transformation_mode", "half_pixel") !== "tf_crop_and_resize" &&
          channelsOf(made.inputs[0]!) === channelsOf(value) &&
          made.inputs.slice(1).every(isConstant) &&
          takes(made.inputs[0]!, above + 1)
        );
      default:
        return false;
    }
  };
  const foldable = (node: Node): boolean =>
    node.op === "BatchNormalization" &&
    intAttr(node, "training_mode", 0) === 0 &&
    node.inputs.slice(1, 5).every(isConstant) &&
    takes(node.inputs[0]!);
  if (!graph.nodes.some(foldable)) return graph;

  const values = (name: string) => graph.initializers.get(name)!.numbers();
  // A convolution may read a batch norm that was folded before it (MobileNetV2's linear bottlenecks).
  const folded = new Map<string, string>();
  return rebuild(graph, (node, _inputs, b) => {
    if (!foldable(node)) return undefined;
    const input = (name: string) => (name === "" ? undefined : b.value(folded.get(name) ?? name));
    const again = (source: Node, inputs: readonly (Value | undefined)[]): Value =>
      b.add(source.op, inputs, Object.fromEntries(source.attributes), { name: `${source.name}_folded` });

    const mapped = (value: string, { scale, shift }: Affine): Value => {
      const source = maker.get(value)!;
      if (source.op === "Concat") {
        let from = 0;
        const parts = source.inputs.map((part) => {
          const to = from + channelsOf(part);
          const own = { scale: scale.slice(from, to), shift: shift.slice(from, to) };
          from = to;
          return mapped(part, own);
        });
        return again(source, parts);
      }
      if (source.op === "Add") {
        const unshifted = { scale, shift: shift.map(() => 0) };
        const [first, second] = source.inputs as [string, string];
        return again(source, [mapped(first, { scale, shift }), mapped(second, unshifted)]);
      }
      if (source.op === "Resize") {
        return again(source, [
          mapped(source.inputs[0]!, { scale, shift }),
          ...source.inputs.slice(1).map(input),
        ]);
      }
      const weight = graph.initializers.get(source.inputs[1]!)!;
      const bias = source.inputs[2] ? values(source.inputs[2]) : new Float64Array(scale.length);
      const w = b.constant(scaleRows(weight, scale), `${source.inputs[1]}.folded`);
      const offset = b.constant(
        Tensor.from(
          weight.dtype,
          [scale.length],
          shift.map((s, c) => s + scale[c]! * bias[c]!),
        ),
        `${source.name || source.outputs[0]}.bias.folded`,
      );
      return again(source, [input(source.inputs[0]!), w, offset]);
    };
    const affine = affineOf(node.inputs.slice(1, 5).map(values), floatAttr(node, "epsilon", 1e-5));
    const made = mapped(node.inputs[0]!, affine);
    folded.set(node.outputs[0]!, made.name);
    return [made];
  }).graph;
}

/** The rows of a weight (M, …) times one number each. */
export function scaleRows(weight: Tensor, scale: ArrayLike<number>): Tensor {
  const row = weight.size / weight.dims[0]!;
  const values = weight.numbers();
  return Tensor.from(
    weight.dtype,
    weight.dims,
    Float64Array.from(values, (v, i) => v * scale[Math.floor(i / row)]!),
  );
}
