import { isStatic, productDim, type Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr } from "../graph/ir.js";
import { free, type GradContext, type InferContext, none, type Operator } from "../graph/operator.js";
import { axesToAttribute, axesToInput, positive } from "./axis.js";
import { contents } from "./contents.js";
import { cast, div, equal, exp, mask, mul, reduceSum, shapeVector, sub, unsqueeze } from "./emit.js";

const normalise = (axes: readonly number[], rank: number) => axes.map((a) => positive(a, rank));

/** The reduced axes, or undefined where they are not constant. */
function axesOf(ctx: InferContext, rank: number): readonly number[] | undefined {
  const given = ctx.inputs[1] ? ctx.knownInts(1) : [];
  if (!given) return undefined;
  if (given.length > 0) return normalise(given, rank);
  return intAttr(ctx.node, "noop_with_empty_axes", 0) ? [] : Array.from({ length: rank }, (_, i) => i);
}

function inferReduce(ctx: InferContext) {
  const dtype = ctx.dtype(0);
  const shape = ctx.shape(0);
  const axes = shape && axesOf(ctx, shape.length);
  if (!shape || !axes) return [{ dtype, shape: undefined }];
  if (axes.some((a) => a < 0 || a >= shape.length)) {
    throw ctx.error("axis out of range", {
      got: axes.join(),
      need: `−${shape.length} … ${shape.length - 1}`,
    });
  }
  const keep = intAttr(ctx.node, "keepdims", 1) === 1;
  const out: Shape = keep
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i));
  return [{ dtype, shape: out }];
}

/** Calls f(out, x) for every element of x, `out` being the position of its group in the result. */
function forEachGroup(
  dims: readonly number[],
  axes: readonly number[],
  f: (out: number, i: number) => void,
): number {
  const kept = dims.map((d, i) => (axes.includes(i) ? 1 : d));
  const steps = stridesOf(kept).map((s, a) => (axes.includes(a) ? 0 : s));
  const index = new Array<number>(dims.length).fill(0);
  for (let i = 0, out = 0, n = sizeOf(dims); i < n; i++) {
    f(out, i);
    for (let a = dims.length - 1; a >= 0; a--) {
      out += steps[a]!;
      if (++index[a]! < dims[a]!) break;
      out -= steps[a]! * dims[a]!;
      index[a] = 0;
    }
  }
  return sizeOf(kept);
}

/** What the largest of no elements is. */
const lowest = (dtype: DType): number => (dtype === "bool" ? 0 : Number.NEGATIVE_INFINITY);

interface ReduceRow {
  readonly type: string;
  readonly start: number | ((dtype: DType) => number);
  readonly f: (acc: number, x: number) => number;
  readonly end?: (acc: number, count: number) => number;
  /** The derivative with respect to x, from dy spread over x's shape. */
  readonly dx: (ctx: GradContext, dy: Value, y: Value) => Value;
}

/** dy (and y) brought back to x's rank: the reduced axes are there again, of size 1. */
function restored(ctx: GradContext, v: Value): Value {
  if (intAttr(ctx.node, "keepdims", 1) === 1) return v;
  const rank = ctx.x(0).rank;
  const axes = ctx.inputs[1]?.constant?.numbers();
  const all = axes && axes.length > 0 ? normalise(Array.from(axes), rank) : ctx.x(0).shape.map((_, i) => i);
  return unsqueeze(
    v,
    [...all].sort((a, b) => a - b),
  );
}

/** Number of elements behind one result, as an operand. */
function countOf(ctx: GradContext): Value | number {
  const [x, y] = [ctx.x(0), ctx.y()];
  if (isStatic(x.shape) && isStatic(y.shape)) return sizeOf(x.dims) / Math.max(1, sizeOf(y.dims));
  const ratio = (v: Value) => reduceProd(shapeVector(v));
  const b = ctx.b;
  return cast(b.add("Div", [ratio(x), ratio(y)]), x.dtype);
}
const reduceProd = (shape: Value): Value => shape.builder.add("ReduceProd", [shape], { keepdims: 0 });

const rows: readonly ReduceRow[] = [
  { type: "ReduceSum", start: 0, f: (a, x) => a + x, dx: (_ctx, dy) => dy },
  {
    type: "ReduceMean",
    start: 0,
    f: (a, x) => a + x,
    end: (a, n) => a / n,
    dx: (ctx, dy) => div(dy, countOf(ctx)),
  },
  {
    type: "ReduceSumSquare",
    start: 0,
    f: (a, x) => a + x * x,
    dx: (ctx, dy) => mul(ctx.x(0), mul(dy, 2)),
  },
  {
    type: "ReduceL2",
    start: 0,
    f: (a, x) => a + x * x,
    end: Math.sqrt,
    dx: (ctx, dy, y) => mul(ctx.x(0), div(dy, y)),
  },
  {
    type: "ReduceL1",
    start: 0,
    f: (a, x) => a + Math.abs(x),
    dx: (ctx, dy) => mul(ctx.b.add("Sign", [ctx.x(0)]), dy),
  },
  {
    type: "ReduceLogSumExp",
    start: 0,
    f: (a, x) => a + Math.exp(x),
    end: Math.log,
    dx: (ctx, dy, y) => mul(exp(sub(ctx.x(0), y)), dy),
  },
  {
    type: "ReduceLogSum",
    start: 0,
    f: (a, x) => a + x,
    end: Math.log,
    dx: (_ctx, dy, y) => div(dy, exp(y)),
  },
  {
    type: "ReduceProd",
    start: 1,
    f: (a, x) => a * x,
    dx: (ctx, dy, y) => div(mul(dy, y), ctx.x(0)),
  },
  // Where several elements are the extreme, they share the gradient.
  ...(["ReduceMax", "ReduceMin"] as const).map(
    (type): ReduceRow => ({
      type,
      start: type === "ReduceMax" ? lowest : (dtype) => (dtype === "bool" ? 1 : -lowest(dtype)),
      f: type === "ReduceMax" ? Math.max : Math.min,
      dx: (ctx, dy, y) => {
        const won = mask(equal(ctx.x(0), y), dy);
        const rank = ctx.x(0).rank;
        const reduced = y.shape.flatMap((d, i) => (d === 1 && i < rank ? [i] : []));
        return mul(won, div(dy, reduceSum(won, reduced)));
      },
    }),
  ),
];

export const reduceOperators: readonly Operator[] = rows.map(({ type, start, f, end, dx }) => ({
  type,
  since: 18,
  infer: inferReduce,
  evaluate: (ctx) => {
    const x = ctx.tensor(0);
    const given = ctx.inputs[1] ? Array.from(ctx.tensor(1).numbers()) : [];
    const noop = given.length === 0 && intAttr(ctx.node, "noop_with_empty_axes", 0) === 1;
    const axes = given.length > 0 ? normalise(given, x.dims.length) : noop ? [] : x.dims.map((_, i) => i);
    const xs = x.numbers();
    const kept = x.dims.map((d, i) => (axes.includes(i) ? 1 : d));
    const acc = new Float64Array(sizeOf(kept)).fill(typeof start === "number" ? start : start(x.dtype));
    forEachGroup(x.dims, axes, (out, i) => {
      acc[out] = f(acc[out]!, xs[i]!);
    });
    const count = x.size / Math.max(1, acc.length);
    const values = end ? acc.map((a) => end(a, count)) : acc;
    const keep = intAttr(ctx.node, "keepdims", 1) === 1;
    const dims = keep ? kept : x.dims.filter((_, i) => !axes.includes(i));
    return [Tensor.from(x.dtype, dims, values)];
  },
  cost: free,
  ...(type === "ReduceProd"
    ? {
        partial: (ctx: InferContext) => {
          const sizes = ctx.shape(0)?.length === 1 ? contents(ctx, 0) : undefined;
          return sizes && [productDim(sizes)];
        },
      }
    : {}),
  grad: (ctx) => [
    () => dx(ctx, restored(ctx, ctx.dy()), restored(ctx, ctx.y())),
    none("axes are not differentiable"),
  ],
  upgrade: axesToInput,
  downgrade: axesToAttribute(type === "ReduceSum" ? 13 : 18),
}));
