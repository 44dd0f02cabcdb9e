import { isStatic, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, intsAttr, type Node } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { cast, expand, gatherElements, reshape, reshapeLike, zeroAfter } from "./emit.js";
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
 * dx: each dy is added where the maximum of its window stands; of several equal ones that is the first, as in PyTorch. Where
 * it stands only the node with a second output says, which the engine runs more slowly: it is one of the gradient's own.
 */
function maxGradient({ b, node, x, dy }: GradContext): Value {
  const { storage_order: _, ...attributes } = Object.fromEntries(node.attributes);
  const [, places] = b.addMany("MaxPool", [x(0)], attributes, { outputs: 2 });
  const flat = (v: Value) => reshape(v, [-1]);
  // Of a constant zero the engine would make the whole map, and keep it.
  const nothing = expand(cast(zeroAfter(dy()), dy().dtype), b.ints([sizeOf(x(0).dims)]));
  const sums = b.add("ScatterElements", [nothing, flat(places!), flat(dy())], { axis: 0, reduction: "add" });
  return reshapeLike(sums, x(0));
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
