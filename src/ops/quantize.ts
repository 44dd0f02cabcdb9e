import type { DType } from "../base/dtype.js";
import { dtypeOfCode } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node, nodeLabel } from "../graph/ir.js";
import { type DowngradeContext, free, type InferContext, none, type Operator } from "../graph/operator.js";
import { axisOf, positive, without } from "./axis.js";
import { forEachIndex } from "./counting.js";
import { cast, mul, reshape, sub } from "./emit.js";
import { roundToEven } from "./smooth-units.js";

/*
 * y = clamp(round(x/scale) + zero point) and its inverse x = (y − zero point)·scale, with one scale for all, one for each
 * position along `axis`, or one for each block of `block_size` positions along it.
 */

const ranges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/** Rounds (halves to even), adds the zero point and clamps into the element type. */
export function quantized(dtype: DType, value: number, zero: number): number {
  const [low, high] = ranges[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return Math.min(high, Math.max(low, roundToEven(value) + zero));
}

/** Which element of scale and zero point belongs to element i of x. */
function parameterOf(node: Node, x: readonly number[], scale: readonly number[]): Uint32Array {
  const axis = positive(intAttr(node, "axis", 1), x.length);
  const block = intAttr(node, "block_size", 0);
  const which = new Uint32Array(x.reduce((a, d) => a * d, 1));
  if (scale.reduce((a, d) => a * d, 1) === 1) return which;
  if (scale.length > 1 && (block < 1 || scale.length !== x.length)) {
    throw new ScconvError("invalid-graph", "scales of several axes need a block_size", {
      where: nodeLabel(node),
      got: scale.join("×"),
    });
  }
  const strides = scale.length > 1 ? stridesOf(scale) : x.map((_, a) => Number(a === axis));
  forEachIndex(x, (at, i) => {
    for (let a = 0; a < at.length; a++) {
      const place = a === axis && block > 0 ? Math.floor(at[a]! / block) : at[a]!;
      which[i]! += place * strides[a]!;
    }
  });
  return which;
}

const outputType = (ctx: Pick<InferContext, "node">): DType | undefined =>
  dtypeOfCode(intAttr(ctx.node, "output_dtype", 0));

/** Blocks and 16-bit integers came with 21, scales along an axis with 13. */
function withoutBlocks(node: Node, to: number, make: DowngradeContext): Node {
  if (to >= 21) return node;
  const scale = make.type(node.inputs[1]!)?.shape;
  const integer = node.op === "QuantizeLinear" ? make.type(node.outputs[0]!) : make.type(node.inputs[0]!);
  if (intAttr(node, "block_size", 0) > 0) throw make.cannot("set 21 (block_size)");
  if (integer?.dtype.endsWith("int16")) throw make.cannot(`set 21 (${integer.dtype})`);
  const attributes = without(node, "block_size", "output_dtype", "saturate");
  if (to >= 13) return { ...node, attributes };
  if (node.op === "QuantizeLinear" && scale?.length === 1 && scale[0] !== 1)
    throw make.cannot("set 13 (axis)");
  attributes.delete("axis");
  return { ...node, attributes };
}

const setting = none("quantised values are not trained");

export const quantizeLinear: Operator = {
  type: "QuantizeLinear",
  since: 10,
  infer: (ctx) => {
    const zero = ctx.node.inputs[2] ? ctx.inputs[2] : undefined;
    // A zero point of a type that we do not hold (int4, float8) says that the result is of that type too.
    if (ctx.node.inputs[2] && !zero) return [undefined];
    const wanted = intAttr(ctx.node, "output_dtype", 0);
    if (wanted && !outputType(ctx)) return [undefined];
    return [{ dtype: zero?.dtype ?? outputType(ctx) ?? "uint8", shape: ctx.shape(0) }];
  },
  evaluate: ({ node, inputs, tensor }) => {
    const [x, scale, zero] = [tensor(0), tensor(1), inputs[2]];
    const dtype = zero?.dtype ?? outputType({ node }) ?? "uint8";
    const which = parameterOf(node, x.dims, scale.dims);
    const [xs, scales, zeros] = [x.numbers(), scale.numbers(), zero?.numbers()];
    // The quotient is rounded to the precision of x, which decides where halves lie.
    const divide =
      x.dtype === "float64" ? (a: number, b: number) => a / b : (a: number, b: number) => Math.fround(a / b);
    const y = Float64Array.from({ length: x.size }, (_, i) =>
      quantized(dtype, divide(xs[i]!, scales[which[i]!]!), zeros?.[which[i]!] ?? 0),
    );
    return [Tensor.from(dtype, x.dims, y)];
  },
  cost: free,
  settings: [1, 2],
  grad: setting,
  downgrade: withoutBlocks,
};

export const dequantizeLinear: Operator = {
  type: "DequantizeLinear",
  since: 10,
  infer: (ctx) => [{ dtype: outputType(ctx) ?? ctx.dtype(1), shape: ctx.shape(0) }],
  evaluate: ({ node, inputs, tensor }) => {
    const [x, scale, zero] = [tensor(0), tensor(1), inputs[2]];
    const which = parameterOf(node, x.dims, scale.dims);
    const [xs, scales, zeros] = [x.numbers(), scale.numbers(), zero?.numbers()];
    const y = Float64Array.from(
      { length: x.size },
      (_, i) => (xs[i]! - (zeros?.[which[i]!] ?? 0)) * scales[which[i]!]!,
    );
    return [Tensor.from(outputType({ node }) ?? scale.dtype, x.dims, y)];
  },
  cost: free,
  settings: [1],
  weights: [0],
  grad: setting,
  // Scales along an axis came with 13.
  older: ({ inputs, node, x }, to) => {
    const [scale, zero] = [x(1), inputs[2]];
    if (to >= 13 || scale.rank !== 1 || scale.dims[0] === 1) return undefined;
    const axis = axisOf(node, x(0).rank, 1);
    const along = (v: Value) =>
      reshape(
        v,
        x(0).shape.map((_, i) => (i === axis ? -1 : 1)),
      );
    const number = (v: Value) => cast(v, scale.dtype);
    const centred = zero ? sub(number(x(0)), along(number(zero))) : number(x(0));
    return [mul(centred, along(scale))];
  },
  downgrade: withoutBlocks,
};

/** To uint8 by the range that the values themselves have, 0 included: (y, scale, zero point). */
export const dynamicQuantizeLinear: Operator = {
  type: "DynamicQuantizeLinear",
  since: 11,
  infer: (ctx) => [
    { dtype: "uint8", shape: ctx.shape(0) },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  evaluate: ({ tensor, outputs }) => {
    const x = tensor(0);
    const xs = x.numbers();
    let [low, high] = [0, 0];
    for (let i = 0; i < xs.length; i++) {
      low = Math.min(low, xs[i]!);
      high = Math.max(high, xs[i]!);
    }
    const scale = Math.fround(Math.fround(high - low) / 255);
    const zero = quantized("uint8", Math.fround(-low / scale) || 0, 0);
    const y = Array.from(xs, (v) => quantized("uint8", Math.fround(v / scale) || 0, zero));
    return [
      Tensor.from("uint8", x.dims, y),
      Tensor.scalar("float32", scale),
      Tensor.scalar("uint8", zero),
    ].slice(0, outputs);
  },
  cost: free,
  grad: setting,
};
