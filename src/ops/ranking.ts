import { type Dim, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr } from "../graph/ir.js";
import { free, type GradContext, type InferContext, none, type Operator, zero } from "../graph/operator.js";
import { axisOf, without } from "./axis.js";
import { contents } from "./contents.js";
import { add, cast, concat, equal, less, mask, mul, reduceSum, reshape, sub, unsqueeze } from "./emit.js";

/** Operators between numbers and positions. */

const extremePlace = (type: string, better: (a: number, b: number) => boolean): Operator => ({
  type,
  since: 12,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const keep = intAttr(ctx.node, "keepdims", 1) === 1;
    const axis = x && axisOf(ctx.node, x.length, 0);
    if (x && (axis! < 0 || axis! >= x.length)) throw ctx.error("axis out of range", { got: `${axis}` });
    const shape = x?.flatMap((d, i): Shape => (i !== axis ? [d] : keep ? [1] : []));
    return [{ dtype: "int64", shape }];
  },
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const axis = axisOf(node, x.dims.length, 0);
    const last = intAttr(node, "select_last_index", 0) === 1;
    const n = x.dims[axis]!;
    const inner = sizeOf(x.dims.slice(axis + 1));
    const xs = x.numbers();
    const places = Array.from({ length: x.size / Math.max(1, n) }, (_, i) => {
      const first = Math.floor(i / inner) * n * inner + (i % inner);
      let best = 0;
      for (let k = 1; k < n; k++) {
        const [v, top] = [xs[first + k * inner]!, xs[first + best * inner]!];
        if (better(v, top) || (last && v === top)) best = k;
      }
      return best;
    });
    const keep = intAttr(node, "keepdims", 1) === 1;
    const dims = x.dims.flatMap((d, i) => (i !== axis ? [d] : keep ? [1] : []));
    return [Tensor.from("int64", dims, places)];
  },
  cost: free,
  grad: zero("a position is flat wherever it has a derivative"),
  downgrade: (node, to, make) => {
    if (to >= 12) return node;
    if (intAttr(node, "select_last_index", 0) === 1) throw make.cannot("set 12 (select_last_index)");
    return { ...node, attributes: without(node, "select_last_index") };
  },
});

export const argMax = extremePlace("ArgMax", (a, b) => a > b);
export const argMin = extremePlace("ArgMin", (a, b) => a < b);

/** values[1] where the index is, values[0] elsewhere, along a new axis of `depth`. */
export const oneHot: Operator = {
  type: "OneHot",
  since: 11,
  infer: (ctx: InferContext) => {
    const at = ctx.shape(0);
    const depth: Dim = ctx.constants[1]?.numbers()[0] ?? contents(ctx, 1)?.[0] ?? unknownDim();
    const axis = at && axisOf(ctx.node, at.length + 1, -1);
    const shape = at && [...at.slice(0, axis), depth, ...at.slice(axis!)];
    return [{ dtype: ctx.dtype(2), shape }];
  },
  evaluate: ({ node, tensor }) => {
    const [at, depth, values] = [tensor(0), tensor(1).numbers()[0]!, tensor(2)];
    const axis = axisOf(node, at.dims.length + 1, -1);
    const dims = [...at.dims.slice(0, axis), depth, ...at.dims.slice(axis)];
    const inner = sizeOf(at.dims.slice(axis));
    const [off, on] = Array.from(values.numbers()) as [number, number];
    const out = new Float64Array(sizeOf(dims)).fill(off);
    Array.from(at.numbers()).forEach((index, i) => {
      const k = index < 0 ? index + depth : index;
      if (k >= 0 && k < depth) out[(Math.floor(i / inner) * depth + k) * inner + (i % inner)] = on;
    });
    return [Tensor.from(values.dtype, dims, out)];
  },
  cost: free,
  // Every dy belongs to one of the two values: d on = Σ dy where the index is, d off = Σ dy elsewhere.
  grad: (ctx) => [
    none("indices are not differentiable"),
    none("a depth is not differentiable"),
    () => valuesGradient(ctx),
  ],
};

function valuesGradient(ctx: GradContext): Value {
  const { b, node } = ctx;
  const [dy, y] = [ctx.dy(), ctx.y()];
  const axis = axisOf(node, y.rank, -1);
  const depth = y.dims[axis]!;
  const along = y.shape.map((_, i) => (i === axis ? depth : 1));
  const classes = Tensor.from(
    "int64",
    along,
    Array.from({ length: depth }, (_, i) => i),
  );
  const at = unsqueeze(cast(ctx.x(0), "int64"), [axis]);
  const place = add(at, mul(mask(less(at, 0), at), depth));
  const hot = mask(equal(b.constant(classes, "classes"), place), dy);
  const all = y.shape.map((_, i) => i);
  const sum = (v: Value) => reshape(reduceSum(v, all), [1]);
  const on = sum(mul(dy, hot));
  return concat([sub(sum(dy), on), on], 0);
}
