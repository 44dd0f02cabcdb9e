import { isStatic, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, intsAttr, type Node } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { equal, gatherElements, mask, mul, reshape, reshapeLike } from "./emit.js";
import { inferPool, kernelOf } from "./pool.js";
import { forEachTap, windowOf } from "./window.js";

/** From a position in row-major order to the same one in column-major order. */
function columnMajor(dims: readonly number[]): (at: number) => number {
  const rows = stridesOf(dims);
  const columns = stridesOf([...dims].reverse()).reverse();
  return (at) => rows.reduce((sum, s, a) => sum + (Math.floor(at / s) % dims[a]!) * columns[a]!, 0);
}

export const maxPool: Operator = {
  type: "MaxPool",
  since: 8,
  infer: (ctx) => {
    const [y] = inferPool(ctx);
    return [y!, { dtype: "int64", shape: y!.shape }];
  },
  evaluate: ({ node, tensor, outputs }) => {
    const x = tensor(0);
    const input = x.dims.slice(2);
    const w = windowOf(node, x.dims, kernelOf({ node }));
    const planes = x.dims[0]! * x.dims[1]!;
    const [inSize, outSize] = [sizeOf(input), sizeOf(w.out as number[])];
    const xs = x.numbers();
    const y = new Float64Array(planes * outSize).fill(Number.NEGATIVE_INFINITY);
    const where = new Float64Array(y.length);
    const place = intAttr(node, "storage_order", 0) === 1 ? columnMajor(input) : (at: number) => at;
    forEachTap(w, input, (o, _t, at) => {
      for (let p = 0; p < planes; p++) {
        const v = xs[p * inSize + at]!;
        if (v > y[p * outSize + o]!) {
          y[p * outSize + o] = v;
          where[p * outSize + o] = p * inSize + place(at);
        }
      }
    });
    const dims = [x.dims[0]!, x.dims[1]!, ...(w.out as number[])];
    const all = [Tensor.from(x.dtype, dims, y), Tensor.from("int64", dims, where)];
    return all.slice(0, outputs);
  },
  cost: free,
  grad: (ctx) => [() => maxGradient(ctx)],
};

/**
 * dx = Σ over kernel taps t: the pixel that tap t of each window sees takes dy where it equals the maximum. Where several
 * pixels of a window are equal the first takes it, as in PyTorch: `taken` counts those before.
 */
function maxGradient(ctx: GradContext): Value {
  const { b, node } = ctx;
  const [x, y, dy] = [ctx.x(0), ctx.y(), ctx.dy()];
  const dims = x.dims;
  const rank = dims.length - 2;
  const input = dims.slice(2);
  const w = windowOf(node, dims, kernelOf(ctx));
  const outs = w.out as readonly number[];
  const reach = outs.map((o, i) => (o - 1) * w.strides[i]! + w.dilations[i]! * (w.kernel[i]! - 1) + 1);
  const after = reach.map((r, i) => Math.max(0, r - input[i]! - w.begins[i]!));
  const lowest = b.scalar(x.dtype === "float64" ? -Number.MAX_VALUE : -3.4e38, x.dtype);
  const padding = b.ints([0, 0, ...w.begins, 0, 0, ...after]);
  const padded = b.add("Pad", [x, padding, lowest], {});
  const paddedDims = input.map((d, i) => d + w.begins[i]! + after[i]!);
  const axes = Array.from({ length: rank }, (_, i) => i + 2);
  const taps = sizeOf(w.kernel);
  let taken: Value | undefined;
  const placed: Value[] = [];
  for (let t = 0; t < taps; t++) {
    const tap: number[] = [];
    for (let i = rank - 1, r = t; i >= 0; i--) {
      tap.unshift((r % w.kernel[i]!) * w.dilations[i]!);
      r = Math.floor(r / w.kernel[i]!);
    }
    const ends = tap.map((p, i) => p + (outs[i]! - 1) * w.strides[i]! + 1);
    const seen = b.add("Slice", [padded, b.ints(tap), b.ints(ends), b.ints(axes), b.ints(w.strides)], {});
    let won = mask(equal(seen, y), dy);
    if (taken) won = mul(won, b.add("Sub", [b.scalar(1, dy.dtype), taken]));
    taken = taken ? b.add("Add", [taken, won]) : won;
    placed.push(place(b.add("Mul", [won, dy]), tap, w.strides, paddedDims));
  }
  // The sums stand behind all their terms, so that the engine makes each sum before the next term (step-memory.test.ts).
  const total = placed.reduce((sum, v) => b.add("Add", [sum, v]));
  return b.add("Slice", [
    total,
    b.ints(w.begins),
    b.ints(w.begins.map((p, i) => p + input[i]!)),
    b.ints(axes),
  ]);
}

/** An image of zeros of `size` with v at offset `tap` and spacing `strides`. */
function place(v: Value, tap: readonly number[], strides: readonly number[], size: readonly number[]): Value {
  const b = v.builder;
  const dims = v.dims;
  const outs = dims.slice(2);
  const rank = outs.length;
  const zeros = new Array<number>(rank).fill(0);
  let image = v;
  if (strides.some((s) => s > 1)) {
    const apart = b.add("Reshape", [v, b.ints([dims[0]!, dims[1]!, ...outs.flatMap((o) => [o, 1])])]);
    const ends = [0, 0, ...strides.flatMap((s) => [0, s - 1])];
    const spread = b.add("Pad", [apart, b.ints([...new Array<number>(ends.length).fill(0), ...ends])]);
    const wide = b.add("Reshape", [
      spread,
      b.ints([dims[0]!, dims[1]!, ...outs.map((o, i) => o * strides[i]!)]),
    ]);
    image = b.add("Slice", [
      wide,
      b.ints(zeros),
      b.ints(outs.map((o, i) => (o - 1) * strides[i]! + 1)),
      b.ints(zeros.map((_, i) => i + 2)),
    ]);
  }
  const ends = size.map((s, i) => s - tap[i]! - ((outs[i]! - 1) * strides[i]! + 1));
  return b.add("Pad", [image, b.ints([0, 0, ...tap, 0, 0, ...ends])]);
}

/** The size that pooling with this window must have started from, unless output_shape says otherwise. */
function unpooledShape(node: Node, x: readonly number[]): number[] {
  const kernel = intsAttr(node, "kernel_shape") ?? [];
  const strides = intsAttr(node, "strides") ?? kernel.map(() => 1);
  const pads = intsAttr(node, "pads") ?? kernel.flatMap(() => [0, 0]);
  return kernel.map((k, i) => (x[i + 2]! - 1) * strides[i]! + k - pads[i]! - pads[i + kernel.length]!);
}

/**
 * Puts each element back where MaxPool found it, zeros elsewhere. Indices count in the image of the size that the window
 * leads back to; `output_shape` may be a larger one.
 */
export const maxUnpool: Operator = {
  type: "MaxUnpool",
  since: 9,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const given = ctx.inputs[2] ? ctx.ints(2) : undefined;
    if (ctx.inputs[2]) return [{ dtype: ctx.dtype(0), shape: given ?? x?.map(unknownDim) }];
    const known = x && isStatic(x) ? [...x.slice(0, 2), ...unpooledShape(ctx.node, x)] : x?.map(unknownDim);
    return [{ dtype: ctx.dtype(0), shape: known }];
  },
  evaluate: ({ node, inputs, tensor }) => {
    const [x, index] = [tensor(0), tensor(1).numbers()];
    const own = [...x.dims.slice(0, 2), ...unpooledShape(node, x.dims)];
    const dims = inputs[2] ? Array.from(inputs[2].numbers()) : own;
    const y = new Float64Array(sizeOf(dims));
    const [from, to] = [stridesOf(own), stridesOf(dims)];
    const xs = x.numbers();
    for (let i = 0; i < xs.length; i++) {
      let at = 0;
      for (let a = 0; a < own.length; a++) at += (Math.floor(index[i]! / from[a]!) % own[a]!) * to[a]!;
      y[at] = xs[i]!;
    }
    return [Tensor.from(x.dtype, dims, y)];
  },
  cost: free,
  grad: (ctx) => [
    ctx.inputs[2]
      ? none("with an output_shape of its own the indices count in another image")
      : () => {
          const flat = (v: Value) => reshape(v, [-1]);
          return reshapeLike(gatherElements(flat(ctx.dy()), flat(ctx.x(1)), 0), ctx.x(0));
        },
    none("indices are not differentiable"),
    none("a shape is not differentiable"),
  ],
};
