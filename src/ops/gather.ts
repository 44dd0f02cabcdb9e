import { formatShape, type Shape } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { free, type GradContext, type InferContext, none, type Operator } from "../graph/operator.js";
import { axisOf, positive } from "./axis.js";
import { contents } from "./contents.js";
import { add, equal, less, mask, matmul, mul, reshape, reshapeLike } from "./emit.js";

/** Indices take the place of the axis. */
function infer(ctx: InferContext) {
  const [x, at] = [ctx.shape(0), ctx.shape(1)];
  const dtype = ctx.dtype(0);
  if (!x || !at) return [{ dtype, shape: undefined }];
  const axis = axisOf(ctx.node, x.length, 0);
  if (axis < 0 || axis >= x.length) {
    throw ctx.error("axis out of range", { got: `${axis}`, need: `rank ${x.length}` });
  }
  const known = ctx.constants[1] && ctx.knownInts(1);
  const size = x[axis]!;
  const stray = typeof size === "number" && known?.find((i) => i >= size || i < -size);
  if (typeof stray === "number") {
    throw ctx.error("an index is out of range", {
      got: `${stray} into ${formatShape(x)} along axis ${axis}`,
    });
  }
  return [{ dtype, shape: [...x.slice(0, axis), ...at, ...x.slice(axis + 1)] }];
}

export const gather: Operator = {
  type: "Gather",
  since: 1,
  infer,
  evaluate: ({ node, tensor }) => {
    const [x, at] = [tensor(0), tensor(1)];
    const axis = axisOf(node, x.dims.length, 0);
    const n = x.dims[axis]!;
    const inner = sizeOf(x.dims.slice(axis + 1));
    const outer = sizeOf(x.dims.slice(0, axis));
    const indices = Array.from(at.numbers(), (i) => positive(i, n));
    const dims = [...x.dims.slice(0, axis), ...at.dims, ...x.dims.slice(axis + 1)];
    const out = Tensor.zeros(x.dtype, dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    for (let o = 0, put = 0; o < outer; o++) {
      for (const i of indices) {
        const first = (o * n + i) * inner;
        to.set(from.subarray(first, first + inner), put);
        put += inner;
      }
    }
    return [out];
  },
  partial: (ctx) => {
    const values = ctx.shape(0)?.length === 1 ? contents(ctx, 0) : undefined;
    const at = (ctx.shape(1)?.length ?? 2) <= 1 ? ctx.knownInts(1) : undefined;
    const found = values && at?.map((i) => values[positive(i, values.length)]!);
    return found?.every((d) => d !== undefined) ? (found as Shape) : undefined;
  },
  cost: free,
  // dx[i] = Σ over k with index[k] = i of dy[k]: a product with a one-hot matrix, which adds up repeated indices.
  grad: (ctx) => [() => gatherGradient(ctx), none("indices are not differentiable")],
};

function gatherGradient(ctx: GradContext): Value {
  const [x, at, dy] = [ctx.x(0), ctx.x(1), ctx.dy()];
  const axis = axisOf(ctx.node, x.rank, 0);
  const [n, k] = [x.dims[axis]!, sizeOf(at.dims)];
  const picks = oneHot(ctx, at, n, k);
  const flat = reshape(dy, [sizeOf(x.dims.slice(0, axis)), k, sizeOf(x.dims.slice(axis + 1))]);
  return reshapeLike(matmul(picks, flat), x);
}

/** (n, k): 1 where index k is n. */
function oneHot(ctx: GradContext, at: Value, n: number, k: number): Value {
  const { b } = ctx;
  const dy = ctx.dy();
  const known = at.constant?.numbers();
  if (known) {
    const ones = new Float64Array(n * k);
    for (let j = 0; j < k; j++) ones[positive(known[j]!, n) * k + j] = 1;
    return b.constant(Tensor.from(dy.dtype, [n, k], ones), "picks");
  }
  const row = reshape(at, [1, k]);
  const from = add(row, mul(mask(less(row, 0), at), n));
  const rows = Tensor.from(
    at.dtype,
    [n, 1],
    Array.from({ length: n }, (_, i) => i),
  );
  return mask(equal(b.constant(rows, "rows"), from), dy);
}
