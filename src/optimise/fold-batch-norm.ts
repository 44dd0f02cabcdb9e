/*
 * Conv → BatchNormalization (inference): W′ = a·W, b′ = a·(b − μ) + β with a = γ/√(σ² + ε), channel by channel. Exact up to
 * rounding: both are affine in the convolution's result.
 */
import { Tensor } from "../base/tensor.js";
import { floatAttr, type Graph, intAttr, type Node } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import { rebuild } from "../ops/rebuild.js";

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

/** Folds every batch norm whose input is a convolution that nothing else reads, both with constant parameters. */
export function foldBatchNorm(graph: Graph): Graph {
  const maker = producers(graph);
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const foldable = (node: Node): Node | undefined => {
    if (node.op !== "BatchNormalization" || intAttr(node, "training_mode", 0) === 1) return undefined;
    const made = maker.get(node.inputs[0]!);
    const alone =
      made?.op === "Conv" && readers.get(made.outputs[0]!)?.length === 1 && !outputs.has(made.outputs[0]!);
    const constant = [...node.inputs.slice(1, 5), ...(made?.inputs.slice(1) ?? [])].every(
      (n) => n === "" || graph.initializers.has(n),
    );
    return alone && constant ? made : undefined;
  };
  if (!graph.nodes.some(foldable)) return graph;
  const values = (name: string) => graph.initializers.get(name)!.numbers();
  // A convolution may read a batch norm that was folded before it (MobileNetV2's linear bottlenecks).
  const folded = new Map<string, string>();
  return rebuild(graph, (node, _inputs, b) => {
    const source = foldable(node);
    if (!source) return undefined;
    const x = b.value(folded.get(source.inputs[0]!) ?? source.inputs[0]!);
    const { scale, shift } = affineOf(node.inputs.slice(1, 5).map(values), floatAttr(node, "epsilon", 1e-5));
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
    const attributes = Object.fromEntries(source.attributes);
    const made = b.add("Conv", [x, w, offset], attributes, { name: `${source.name}_folded` });
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
