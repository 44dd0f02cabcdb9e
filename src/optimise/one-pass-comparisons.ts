/*
 * Greater with a constant → Cast to float32, two passes over memory with truth values between them, as one: HardSigmoid with
 * α = 2¹⁰⁰ and β = −αt is clip(α·x + β, 0, 1). Scaling by a power of two rounds nothing, and the sum has the sign of x − t, so that the
 * result is 0 or 1, and [x > t], unless x − t lies within 2⁻¹⁰⁰ ≈ 8e-31 above 0 (for t ≠ 0 no two float32 numbers do, but
 * where both are as small). Not for files that people keep: α overflows in float16.
 */
import { dtypes } from "../base/dtype.js";
import type { Value } from "../graph/builder.js";
import { float, type Graph, intAttr, type Node } from "../graph/ir.js";
import { rebuild } from "../ops/rebuild.js";

const STEEP = 2 ** 100;
/** Beyond it, β would not be a float32. */
const LARGEST = 2 ** 27;

/** The graph with masks of float32 values made in one pass. */
export function onePassComparisons(graph: Graph): Graph {
  const thresholdOf = (node: Node): number | undefined => {
    const t =
      node.op === "Greater" && node.domain === "" ? graph.initializers.get(node.inputs[1]!) : undefined;
    if (t?.dtype !== "float32" || t.dims.length > 0) return undefined;
    const threshold = t.numbers()[0]!;
    return Math.abs(threshold) <= LARGEST ? threshold : undefined;
  };
  if (!graph.nodes.some((n) => thresholdOf(n) !== undefined)) return graph;
  /** What is compared, by the name of the truth values. */
  const compared = new Map<string, { x: Value; threshold: number }>();
  return rebuild(graph, (node, inputs, b) => {
    const threshold = thresholdOf(node);
    if (threshold !== undefined) compared.set(node.outputs[0]!, { x: inputs[0]!, threshold });
    const found =
      node.op === "Cast" && node.domain === "" && intAttr(node, "to", 0) === dtypes.float32.code
        ? compared.get(node.inputs[0]!)
        : undefined;
    if (!found) return undefined;
    const beta = found.threshold === 0 ? 0 : -STEEP * found.threshold;
    return [b.add("HardSigmoid", [found.x], { alpha: float(STEEP), beta: float(beta) }, { name: node.name })];
  }).graph;
}
