import type { DType } from "../base/dtype.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Node } from "../graph/ir.js";
import { type EvaluateContext, InferContext, none, type Operator } from "../graph/operator.js";
import { conv } from "./conv.js";
import { matmul } from "./matmul.js";
import { quantized } from "./quantize.js";

/*
 * Convolution and matrix product on integers. The Integer forms give the sum of products in int32; the QLinear forms scale
 * it to the type of their own zero point. Both are their float counterparts on (x − zero point) and (w − zero point).
 */

interface Plan {
  readonly type: string;
  readonly since: number;
  readonly inner: Operator;
  /** Which inputs are x, its zero point, w, its zero point. */
  readonly operands: readonly [number, number, number, number];
  /** QLinear: scales of x, w and y, zero point of y, bias. */
  readonly scales?: readonly [number, number, number, number, number];
  /** The axis of w that its scales and zero points go along; of x likewise. */
  readonly axes: (x: Tensor, w: Tensor) => readonly [number, number];
}

const setting = none("quantised values are not trained");

/** Spreads values along an axis: one for each position, or one for all. */
function along(t: Tensor | undefined, dims: readonly number[], axis: number): (i: number) => number {
  const values = t?.numbers();
  if (!values || values.length <= 1) return () => values?.[0] ?? 0;
  // One for each row (or column) of each matrix of a batch.
  const batched = t!.dims.length > 1;
  const inner = sizeOf(dims.slice(axis + 1));
  const per = batched ? dims[axis]! : values.length;
  return (i) => {
    const place = Math.floor(i / inner) % per;
    return values[batched ? Math.floor(i / (inner * per)) * per + place : place]!;
  };
}

/** In float64 the integers are exact. */
function centred(x: Tensor, zero: Tensor | undefined, axis: number): Tensor {
  const [xs, z] = [x.numbers(), along(zero, x.dims, axis)];
  return Tensor.from(
    "float64",
    x.dims,
    Float64Array.from({ length: x.size }, (_, i) => xs[i]! - z(i)),
  );
}

function evaluate(plan: Plan, ctx: EvaluateContext): Tensor[] {
  const [xi, xz, wi, wz] = plan.operands;
  const [x, w] = [ctx.tensor(xi), ctx.tensor(wi)];
  const [xAxis, wAxis] = plan.axes(x, w);
  const bias = plan.scales && ctx.inputs[plan.scales[4]]?.cast("float64");
  const inner: (Tensor | undefined)[] = [
    centred(x, ctx.inputs[xz], xAxis),
    centred(w, ctx.inputs[wz], wAxis),
    bias,
  ];
  const [sum] = plan.inner.evaluate({ ...ctx, inputs: inner, tensor: (i) => inner[i]! }) as [Tensor];
  if (!plan.scales) return [Tensor.from("int32", sum.dims, sum.numbers())];
  const [sx, sw, sy, zy] = plan.scales;
  const result = ctx.tensor(zy);
  const outAxis = plan.inner === conv ? 1 : sum.dims.length - 1;
  const wScale = along(ctx.tensor(sw), sum.dims, outAxis);
  const xScale = along(ctx.tensor(sx), sum.dims, plan.inner === conv ? 1 : sum.dims.length - 2);
  const yScale = ctx.tensor(sy).numbers()[0]!;
  const [sums, zero] = [sum.numbers(), Number(result.numbers()[0])];
  const y = Float64Array.from({ length: sum.size }, (_, i) =>
    quantized(result.dtype, sums[i]! * Math.fround(Math.fround(xScale(i) * wScale(i)) / yScale), zero),
  );
  return [Tensor.from(result.dtype, sum.dims, y)];
}

function innerContext(plan: Plan, ctx: InferContext): InferContext {
  const [x, , w] = plan.operands;
  const bias = plan.scales && ctx.inputs[plan.scales[4]];
  const node: Node = { ...ctx.node, inputs: [ctx.node.inputs[x]!, ctx.node.inputs[w]!] };
  return new InferContext(node, [ctx.inputs[x], ctx.inputs[w], bias], []);
}

const operator = (plan: Plan): Operator => ({
  type: plan.type,
  since: plan.since,
  infer: (ctx) => {
    const dtype: DType = plan.scales ? ctx.dtype(plan.scales[3]) : "int32";
    return [{ dtype, shape: plan.inner.infer(innerContext(plan, ctx))[0]?.shape }];
  },
  evaluate: (ctx) => evaluate(plan, ctx),
  cost: (ctx, outputs) => plan.inner.cost(innerContext(plan, ctx), outputs),
  weights: plan.scales ? [plan.operands[2], plan.scales[4]] : [plan.operands[2]],
  ...(plan.scales ? { settings: plan.scales.slice(0, 3) } : {}),
  grad: setting,
});

const channels = () => [1, 0] as const;
const rowsAndColumns = (a: Tensor, b: Tensor) => [Math.max(0, a.dims.length - 2), b.dims.length - 1] as const;

export const integerProducts: readonly Operator[] = [
  operator({ type: "ConvInteger", since: 10, inner: conv, operands: [0, 2, 1, 3], axes: channels }),
  operator({ type: "MatMulInteger", since: 10, inner: matmul, operands: [0, 2, 1, 3], axes: rowsAndColumns }),
  operator({
    type: "QLinearConv",
    since: 10,
    inner: conv,
    operands: [0, 2, 3, 5],
    scales: [1, 4, 6, 7, 8],
    axes: channels,
  }),
  operator({
    type: "QLinearMatMul",
    since: 10,
    inner: matmul,
    operands: [0, 2, 3, 5],
    scales: [1, 4, 6, 7, 8],
    axes: rowsAndColumns,
  }),
];
