import { dtypeOfCode } from "../base/dtype.js";
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr } from "../graph/ir.js";
import {
  type EvaluateContext,
  free,
  type GradContext,
  none,
  type Operator,
  zero,
} from "../graph/operator.js";
import { positive } from "./axis.js";
import { forEachIndex } from "./counting.js";
import { div, mul } from "./emit.js";

/** Operators that go by the diagonal or along an axis: Trilu, EyeLike, running sums and products. */

/** What lies on or above (upper) or on or below the k-th diagonal of the last two axes; zeros elsewhere. */
export const trilu: Operator = {
  type: "Trilu",
  since: 14,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: ({ node, inputs, tensor }) => {
    const x = tensor(0);
    const k = Number(inputs[1]?.numbers()[0] ?? 0);
    const upper = intAttr(node, "upper", 1) === 1;
    const out = Tensor.zeros(x.dtype, x.dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    forEachIndex(x.dims, (at, i) => {
      const off = at.at(-1)! - at.at(-2)!;
      if (upper ? off >= k : off <= k) to[i] = from[i]!;
    });
    return [out];
  },
  cost: free,
  grad: ({ b, node, inputs, dy }) => [
    () => b.add("Trilu", [dy(), inputs[1]], { upper: intAttr(node, "upper", 1) }),
    none("a diagonal is not differentiable"),
  ],
};

export const eyeLike: Operator = {
  type: "EyeLike",
  since: 9,
  infer: (ctx) => {
    const given = intAttr(ctx.node, "dtype", 0);
    const dtype = given ? dtypeOfCode(given) : ctx.dtype(0);
    return [dtype && { dtype, shape: ctx.shape(0) }];
  },
  evaluate: ({ node, tensor }) => {
    const { dims, dtype } = tensor(0);
    const k = intAttr(node, "k", 0);
    const ones = new Float64Array(dims[0]! * dims[1]!);
    for (let i = 0; i < dims[0]!; i++) if (i + k >= 0 && i + k < dims[1]!) ones[i * dims[1]! + i + k] = 1;
    const given = intAttr(node, "dtype", 0);
    return [Tensor.from(given ? dtypeOfCode(given)! : dtype, dims, ones)];
  },
  cost: free,
  grad: zero("only the shape of its input counts"),
};

/** Sums or products of all that comes before (or, reversed, after) along an axis. */
function running(
  { node, tensor }: EvaluateContext,
  start: number,
  f: (a: number, b: number) => number,
): Tensor[] {
  const x = tensor(0);
  const axis = positive(Number(tensor(1).numbers()[0]), x.dims.length);
  const [exclusive, reverse] = [intAttr(node, "exclusive", 0) === 1, intAttr(node, "reverse", 0) === 1];
  const n = x.dims[axis]!;
  const inner = x.dims.slice(axis + 1).reduce((a, d) => a * d, 1);
  const xs = x.numbers();
  const out = new Float64Array(x.size);
  for (let line = 0; line < x.size / Math.max(1, n); line++) {
    const first = Math.floor(line / inner) * n * inner + (line % inner);
    let total = start;
    for (let j = 0; j < n; j++) {
      const at = first + (reverse ? n - 1 - j : j) * inner;
      const next = f(total, xs[at]!);
      out[at] = exclusive ? total : next;
      total = next;
    }
  }
  return [Tensor.from(x.dtype, x.dims, out)];
}

const runningInfer: Operator["infer"] = (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }];
const axisRule = none("an axis is not differentiable");

/** The transpose of a running sum is the running sum from the other end. */
const backwards = ({ b, node, x }: GradContext, v: Value): Value =>
  b.add("CumSum", [v, x(1)], {
    exclusive: intAttr(node, "exclusive", 0),
    reverse: 1 - intAttr(node, "reverse", 0),
  });

export const cumSum: Operator = {
  type: "CumSum",
  since: 11,
  infer: runningInfer,
  evaluate: (ctx) => running(ctx, 0, (a, b) => a + b),
  cost: free,
  grad: (ctx) => [() => backwards(ctx, ctx.dy()), axisRule],
};

export const cumProd: Operator = {
  type: "CumProd",
  since: 26,
  infer: runningInfer,
  evaluate: (ctx) => running(ctx, 1, (a, b) => a * b),
  cost: free,
  // ∂yᵢ/∂xⱼ = yᵢ/xⱼ for every product that xⱼ is in
  grad: (ctx) => [() => div(backwards(ctx, mul(ctx.dy(), ctx.y())), ctx.x(0)), axisRule],
};

/** Turns the first `length` elements of each sequence around. */
export const reverseSequence: Operator = {
  type: "ReverseSequence",
  since: 10,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: ({ node, tensor }) => {
    const [x, lengths] = [tensor(0), tensor(1).numbers()];
    const [batch, time] = [intAttr(node, "batch_axis", 1), intAttr(node, "time_axis", 0)];
    const out = Tensor.zeros(x.dtype, x.dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    const step = x.dims.slice(time + 1).reduce((a, d) => a * d, 1);
    forEachIndex(x.dims, (at, i) => {
      const n = lengths[at[batch]!]!;
      const t = at[time]!;
      to[i] = from[t < n ? i + (n - 1 - 2 * t) * step : i]!;
    });
    return [out];
  },
  cost: free,
  // Turning around twice changes nothing.
  grad: ({ b, node, x, dy }) => [
    () =>
      b.add("ReverseSequence", [dy(), x(1)], {
        batch_axis: intAttr(node, "batch_axis", 1),
        time_axis: intAttr(node, "time_axis", 0),
      }),
    none("lengths are not differentiable"),
  ],
};
