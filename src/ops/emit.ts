import { isStatic, type Shape } from "../base/dims.js";
import { type DType, dtypes } from "../base/dtype.js";
import type { Value } from "../graph/builder.js";
import { type AttributeInput, float } from "../graph/ir.js";

/*
 * Standard operators as functions on values: what derivative rules, layers and rewrites are written in. Each adds one
 * node to the graph that its arguments are in, unless the result is the argument itself.
 */

export type Operand = Value | number;

/** A number becomes a scalar constant of the other operand's element type. */
function pair(a: Operand, b: Operand): [Value, Value] {
  if (typeof a === "number") {
    const v = b as Value;
    return [v.builder.scalar(a, v.dtype), v];
  }
  return [a, typeof b === "number" ? a.builder.scalar(b, a.dtype) : b];
}

const binary =
  (op: string) =>
  (a: Operand, b: Operand, name?: string): Value => {
    const [x, y] = pair(a, b);
    return x.builder.add(op, [x, y], {}, name ? { name } : {});
  };
const unary =
  (op: string) =>
  (x: Value, name?: string): Value =>
    x.builder.add(op, [x], {}, name ? { name } : {});

export const add = binary("Add");
export const sub = binary("Sub");
export const mul = binary("Mul");
export const div = binary("Div");
export const pow = binary("Pow");
export const greater = binary("Greater");
export const greaterOrEqual = binary("GreaterOrEqual");
export const less = binary("Less");
export const lessOrEqual = binary("LessOrEqual");
export const equal = binary("Equal");
export const matmul = binary("MatMul");
export const maximum = binary("Max");

export const neg = unary("Neg");
export const abs = unary("Abs");
export const exp = unary("Exp");
export const log = unary("Log");
export const sqrt = unary("Sqrt");
export const reciprocal = unary("Reciprocal");
export const sigmoid = unary("Sigmoid");
export const tanh = unary("Tanh");
export const sinh = unary("Sinh");
export const cosh = unary("Cosh");
export const relu = unary("Relu");
export const erf = unary("Erf");
export const sign = unary("Sign");
export const not = unary("Not");
export const identity = unary("Identity");
export const shapeOf = unary("Shape");
export const globalAveragePool = unary("GlobalAveragePool");

export const where = (condition: Value, a: Operand, b: Operand): Value => {
  const [x, y] = pair(a, b);
  return condition.builder.add("Where", [condition, x, y]);
};

export const cast = (x: Value, to: DType): Value =>
  x.dtype === to ? x : x.builder.add("Cast", [x], { to: dtypes[to].code });

/** 1 where the condition holds, 0 elsewhere, in the element type of `like`. */
export const mask = (condition: Value, like: Value): Value => cast(condition, like.dtype);

/** The shape as a vector of int64: a constant where all sizes are known. */
export const shapeVector = (x: Value): Value => (isStatic(x.shape) ? x.builder.ints(x.shape) : shapeOf(x));

export const reshape = (x: Value, shape: readonly number[] | Value): Value =>
  x.builder.add("Reshape", [x, Array.isArray(shape) ? x.builder.ints(shape as number[]) : (shape as Value)]);

/** Reshaped to the shape of `like`; a size of 0 is one, and not "as it was". */
export const reshapeLike = (x: Value, like: Value): Value =>
  sameShape(x.shape, like.shape)
    ? x
    : like.shape.includes(0)
      ? x.builder.add("Reshape", [x, shapeVector(like)], { allowzero: 1 })
      : reshape(x, shapeVector(like));

export const expand = (x: Value, shape: Value): Value => x.builder.add("Expand", [x, shape]);

export const expandLike = (x: Value, like: Value): Value =>
  sameShape(x.shape, like.shape) ? x : expand(x, shapeVector(like));

export const zerosLike = (x: Value): Value => expandLike(x.builder.scalar(0, x.dtype), x);

export const transpose = (x: Value, perm: readonly number[]): Value =>
  perm.every((p, i) => p === i) ? x : x.builder.add("Transpose", [x], { perm });

export const gatherElements = (x: Value, indices: Value, axis: number): Value =>
  x.builder.add("GatherElements", [x, indices], { axis });

export const concat = (values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0]! : values[0]!.builder.add("Concat", values, { axis });

export const split = (x: Value, sizes: readonly number[], axis: number): Value[] =>
  sizes.length === 1
    ? [x]
    : x.builder.addMany("Split", [x, x.builder.ints(sizes)], { axis }, { outputs: sizes.length });

export const slice = (
  x: Value,
  {
    starts,
    ends,
    axes,
    steps,
  }: {
    starts: readonly number[];
    ends: readonly number[];
    axes: readonly number[];
    steps?: readonly number[];
  },
): Value => {
  const b = x.builder;
  return b.add("Slice", [x, b.ints(starts), b.ints(ends), b.ints(axes), steps && b.ints(steps)]);
};

export const squeeze = (x: Value, axes: readonly number[]): Value =>
  x.builder.add("Squeeze", [x, x.builder.ints(axes)]);
export const unsqueeze = (x: Value, axes: readonly number[]): Value =>
  x.builder.add("Unsqueeze", [x, x.builder.ints(axes)]);

const reduction =
  (op: string) =>
  (x: Value, axes: readonly number[], keepDims = true): Value =>
    axes.length === 0 ? x : x.builder.add(op, [x, x.builder.ints(axes)], { keepdims: keepDims ? 1 : 0 });
export const reduceSum = reduction("ReduceSum");
export const reduceMean = reduction("ReduceMean");
export const reduceMax = reduction("ReduceMax");
export const reduceSumSquare = reduction("ReduceSumSquare");

export interface ConvAttributes {
  readonly strides?: readonly number[] | undefined;
  /** Begins, then ends. */
  readonly pads?: readonly number[] | undefined;
  readonly dilations?: readonly number[] | undefined;
  readonly group?: number | undefined;
}

export const conv = (
  x: Value,
  w: Value,
  bias?: Value,
  attributes: ConvAttributes = {},
  name?: string,
): Value => x.builder.add("Conv", [x, w, bias], trim(attributes), name ? { name } : {});

/** Leaves out attributes at their defaults, so that graphs stay short to read. */
function trim({ strides, pads, dilations, group }: ConvAttributes): Record<string, AttributeInput> {
  const ones = (v: readonly number[] | undefined) => (v?.some((s) => s !== 1) ? v : undefined);
  return {
    strides: ones(strides),
    pads: pads?.some((p) => p !== 0) ? pads : undefined,
    dilations: ones(dilations),
    group: group === 1 ? undefined : group,
  };
}

/** Windows of kernel×kernel pixels; where they do not fit to the end, the rest is left out. */
export const maxPool = (x: Value, kernel: number, stride: number, pad = 0): Value =>
  x.builder.add("MaxPool", [x], {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    ...(pad > 0 ? { pads: [pad, pad, pad, pad] } : {}),
  });
export const averagePool = (x: Value, kernel: number, stride: number): Value =>
  x.builder.add("AveragePool", [x], { kernel_shape: [kernel, kernel], strides: [stride, stride] });

export const clip = (x: Value, low: number, high: number): Value =>
  x.builder.add("Clip", [x, x.builder.scalar(low, x.dtype), x.builder.scalar(high, x.dtype)]);

export const softmax = (x: Value, axis = -1): Value => x.builder.add("Softmax", [x], { axis });
export const logSoftmax = (x: Value, axis = -1): Value => x.builder.add("LogSoftmax", [x], { axis });

/** Our own domain: operators that say what the standard ones cannot, lowered before the engine sees them. */
export const SCCONV_DOMAIN = "scconv";

/** logit(t) = σ⁻¹(t): σ(x) > t exactly when x > logit(t). */
export const logit = (t: number): number => Math.log(t / (1 - t));

/** [σ(x) > threshold] with the derivative of σ(x) (a straight-through estimator). */
export const straightThroughGate = (x: Value, threshold: number): Value =>
  x.builder.add("StraightThroughGate", [x], { threshold: float(threshold) }, { domain: SCCONV_DOMAIN });

/** x, through which no gradient flows. */
export const stopGradient = (x: Value): Value =>
  x.builder.add("StopGradient", [x], {}, { domain: SCCONV_DOMAIN });

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/**
 * Zero as int64[1], by way of an element of x: what is made from it the engine takes for no constant, nor makes before x is there.
 */
export function zeroAfter(x: Value): Value {
  const axes = x.shape.map((_, a) => a);
  const first = axes.length ? slice(x, { starts: axes.map(() => 0), ends: axes.map(() => 1), axes }) : x;
  return x.builder.add("ArgMax", [reshape(first, [1])], { axis: 0, keepdims: 1 });
}
