import { type Dim, divDim, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intsAttr, type Node } from "../graph/ir.js";
import { type EvaluateContext, free, none, type Operator } from "../graph/operator.js";
import { positive } from "./axis.js";
import { conv, reshape } from "./emit.js";
import { gather } from "./reshaping.js";
import { forEachTap, windowOf } from "./window.js";

/** Col2Im, which adds up the patches of an image, and CenterCropPad. */

/** (N, C·Πblock, L) → (N, C, image…): each column is a patch, and where patches overlap they add up. */
export const col2im: Operator = {
  type: "Col2Im",
  since: 18,
  infer: (ctx) => {
    const [x, image, block] = [ctx.shape(0), ctx.ints(1), ctx.knownInts(2)];
    const rank = ctx.shape(1)?.[0];
    const spatial: Shape | undefined =
      image ?? (typeof rank === "number" ? Array.from({ length: rank }, unknownDim) : undefined);
    if (!x || !spatial) return [{ dtype: ctx.dtype(0), shape: undefined }];
    const channels: Dim = block ? divDim(x[1]!, sizeOf(block)) : unknownDim();
    return [{ dtype: ctx.dtype(0), shape: [x[0]!, channels, ...spatial] }];
  },
  evaluate: ({ node, tensor }: EvaluateContext) => {
    const x = tensor(0);
    const image = Array.from(tensor(1).numbers());
    const block = Array.from(tensor(2).numbers());
    const [n, columns, places] = x.dims as [number, number, number];
    const taps = sizeOf(block);
    const [channels, size] = [columns / taps, sizeOf(image)];
    const xs = x.numbers();
    const y = new Float64Array(n * channels * size);
    forEachTap(windowOf(node, [1, 1, ...image], block), image, (o, t, at) => {
      for (let p = 0; p < n * channels; p++) y[p * size + at]! += xs[(p * taps + t) * places + o]!;
    });
    return [Tensor.from(x.dtype, [n, channels, ...image], y)];
  },
  cost: free,
  // Patches are cut out again: a convolution with one-hot kernels, channel by channel.
  grad: ({ b, node, x, inputs, dy }) => {
    const setting = none("sizes are not differentiable");
    const block = inputs[2]?.constant;
    if (!block) return [none("the size of a patch is computed"), setting, setting];
    return [
      (): Value => {
        const kernel = Array.from(block.numbers());
        const [taps, channels] = [sizeOf(kernel), dy().dims[1]!];
        const ones = new Float64Array(channels * taps * taps);
        for (let i = 0; i < channels * taps; i++) ones[i * taps + (i % taps)] = 1;
        const hot = Tensor.from(dy().dtype, [channels * taps, 1, ...kernel], ones);
        const patches = conv(dy(), b.constant(hot, "one_hot"), undefined, {
          strides: intsAttr(node, "strides"),
          pads: intsAttr(node, "pads"),
          dilations: intsAttr(node, "dilations"),
          group: channels,
        });
        return reshape(patches, [x(0).dims[0]!, channels * taps, -1]);
      },
      setting,
      setting,
    ];
  },
};

/** Along each axis the middle of x, or x in the middle of zeros. */
export const centerCropPad: Operator = {
  type: "CenterCropPad",
  since: 18,
  infer: (ctx) => {
    const [x, sizes] = [ctx.shape(0), ctx.ints(1)];
    const axes = x && axesOf(ctx.node, x.length);
    const shape = x?.map((d, i) => (axes!.includes(i) ? (sizes?.[axes!.indexOf(i)] ?? unknownDim()) : d));
    return [{ dtype: ctx.dtype(0), shape }];
  },
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const axes = axesOf(node, x.dims.length);
    const sizes = Array.from(tensor(1).numbers());
    const dims = x.dims.map((d, i) => (axes.includes(i) ? sizes[axes.indexOf(i)]! : d));
    // Cut to what both have, then put that in the middle of the zeros.
    const common = x.dims.map((d, i) => Math.min(d, dims[i]!));
    const half = (from: readonly number[]) => from.map((d, i) => Math.floor((d - common[i]!) / 2));
    const strides = stridesOf(x.dims);
    const offset = half(x.dims).reduce((sum, o, i) => sum + o * strides[i]!, 0);
    const middle = gather(x, common, strides, offset);
    const out = Tensor.zeros(x.dtype, dims);
    const [to, own, from] = [stridesOf(dims), stridesOf(common), half(dims)];
    for (let i = 0; i < middle.size; i++) {
      const at = common.reduce((sum, d, a) => sum + ((Math.floor(i / own[a]!) % d) + from[a]!) * to[a]!, 0);
      (out.data as Float64Array)[at] = (middle.data as Float64Array)[i]!;
    }
    return [out];
  },
  cost: free,
  // Cutting and padding undo each other.
  grad: ({ b, node, x, dy }) => [
    () => {
      const axes = axesOf(node, x(0).rank);
      return b.add("CenterCropPad", [dy(), b.ints(axes.map((a) => x(0).dims[a]!))], { axes });
    },
    none("a size is not differentiable"),
  ],
};

const axesOf = (node: Node, rank: number): number[] =>
  (intsAttr(node, "axes") ?? Array.from({ length: rank }, (_, i) => i)).map((a) => positive(a, rank));
