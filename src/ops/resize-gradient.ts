import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { matmul, reduceSum, reshape, reshapeLike } from "./emit.js";
import type { Weights } from "./resize-weights.js";

/**
 * dx = Wᵀ·dy along each axis that was resized, W being the axis' interpolation. Where W only repeats pixels the product
 * is a sum over the repetitions.
 */
export function resizeGradient(dy: Value, x: Value, weights: readonly (Weights | undefined)[]): Value {
  let g = dy;
  const dims = [...dy.dims];
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const w = weights[axis];
    if (!w) continue;
    const n = x.dims[axis]!;
    const inner = sizeOf(dims.slice(axis + 1));
    const outer = sizeOf(dims.slice(0, axis));
    const times = repetition(w, n);
    if (times) g = reduceSum(reshape(g, [outer, n, times, inner]), [2]);
    else if (inner === 1) g = matmul(reshape(g, [outer, w.length]), constant(g, w, n, false));
    else g = matmul(constant(g, w, n, true), reshape(g, [outer, w.length, inner]));
    dims[axis] = n;
  }
  return reshapeLike(g, x);
}

/** k where each of n pixels is repeated k times. */
function repetition(w: Weights, n: number): number | undefined {
  const k = w.length / n;
  const repeats = w.every((terms, i) => terms.length === 1 && terms[0]![0] === Math.floor(i / k));
  return Number.isInteger(k) && repeats ? k : undefined;
}

function constant(like: Value, w: Weights, n: number, transposed: boolean): Value {
  const m = new Float64Array(w.length * n);
  w.forEach((terms, k) => {
    for (const [i, weight] of terms) m[transposed ? i * w.length + k : k * n + i]! += weight;
  });
  const dims = transposed ? [n, w.length] : [w.length, n];
  return like.builder.constant(Tensor.from(like.dtype, dims, m), "interpolation");
}
