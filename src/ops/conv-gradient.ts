import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, nodeLabel } from "../graph/ir.js";
import type { GradContext } from "../graph/operator.js";
import { conv, matmul, reshape, slice, transpose } from "./emit.js";
import { kernelOf, type Window, windowOf } from "./window.js";

/*
 * A convolution's derivatives are convolutions with roles swapped:
 *   dx = dy ∗ flip(wᵀ)            channels in ↔ out, taps reversed
 *   dw = x ∗ dy                   batch ↔ channels; stride ↔ dilation (conv-weight-gradient.ts)
 */

export interface ConvSizes {
  readonly window: Window;
  readonly group: number;
  /** Spatial sizes in and out. */
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly rank: number;
}

export function sizesOf({ node, x, y }: GradContext): ConvSizes {
  const [xs, ys, w] = [x(0).shape, y().shape, x(1).dims];
  const input = xs.slice(2);
  const output = ys.slice(2);
  if (![...input, ...output].every((d) => typeof d === "number")) {
    throw new ScconvError(
      "not-differentiable",
      "the image size must be fixed to differentiate a convolution",
      {
        where: nodeLabel(node),
        got: xs.join("×"),
        hint: "bind the symbolic sizes first",
      },
    );
  }
  const window = windowOf(node, xs, kernelOf(node, w));
  return {
    window,
    group: intAttr(node, "group", 1),
    input: input as number[],
    output: output as number[],
    rank: input.length,
  };
}

/** dx, in the shape of x. */
export function inputGradient(ctx: GradContext): Value {
  const sizes = sizesOf(ctx);
  const { window, group, input, output, rank } = sizes;
  const { kernel, strides, dilations, begins } = window;
  const dy = ctx.dy();
  const w = ctx.x(1);
  const extent = kernel.map((k, i) => dilations[i]! * (k - 1));
  if (strides.some((s) => s !== 1) && kernel.every((k) => k === 1) && begins.every((p) => p === 0)) {
    return spread(conv(dy, transposedKernel(w, group, false), undefined, { group }), sizes);
  }
  // The padding that makes a full correlation give back the input's size.
  const before = extent.map((e, i) => e - begins[i]!);
  const after = input.map((size, i) => size - output[i]! + begins[i]!);
  if (strides.every((s) => s === 1) && [...before, ...after].every((p) => p >= 0)) {
    return conv(dy, transposedKernel(w, group, true), undefined, {
      pads: [...before, ...after],
      dilations,
      group,
    });
  }
  // The end padding is chosen so that the result has exactly the input's size.
  const whole = output.map((o, i) => (o - 1) * strides[i]! + extent[i]! + 1 - begins[i]!);
  const ends = whole.map((size, i) => Math.max(0, size - input[i]!));
  const extra = whole.map((size, i) => Math.max(0, input[i]! - size));
  return ctx.b.add("ConvTranspose", [dy, w], {
    strides,
    dilations,
    pads: [...begins, ...ends],
    output_padding: extra.some((e) => e > 0) ? outputPadding(extra, strides, rank) : undefined,
    group,
  });
}

function outputPadding(
  extra: readonly number[],
  strides: readonly number[],
  rank: number,
): readonly number[] {
  if (extra.length !== rank || extra.some((e, i) => e > 0 && e >= Math.max(strides[i]!, 2))) {
    throw new ScconvError("not-differentiable", "more input than the windows cover", {
      got: extra.join("×"),
    });
  }
  return extra;
}

/** w (M, C/G, k…) → (C, M/G, k…), taps reversed where asked. */
function transposedKernel(w: Value, group: number, flip: boolean): Value {
  const [m, cg, ...k] = w.dims as [number, number, ...number[]];
  const taps = k.map((_, i) => i);
  let t: Value;
  if (group === 1) t = transpose(w, [1, 0, ...taps.map((i) => i + 2)]);
  else {
    const blocks = transpose(reshape(w, [group, m / group, cg, ...k]), [0, 2, 1, ...taps.map((i) => i + 3)]);
    t = reshape(blocks, [group * cg, m / group, ...k]);
  }
  if (!flip || k.every((s) => s === 1)) return t;
  return slice(t, {
    starts: k.map(() => -1),
    ends: k.map(() => -(2 ** 31)),
    axes: taps.map((i) => i + 2),
    steps: k.map(() => -1),
  });
}

/**
 * Puts each pixel of `v` at its strided place in an image of the input's size, zeros between: whole rows at a time, by a product
 * with a matrix of ones and zeros, because the engine pads single elements one by one.
 */
function spread(v: Value, { input, output, window }: ConvSizes): Value {
  const { strides } = window;
  const [n, c] = v.shape as [number | string, number];
  const b = v.builder;
  const batch = typeof n === "number" ? n : -1;
  const whole = output.map((o, i) => o * strides[i]!);
  // A row of w pixels becomes the s′ rows of s·w pixels that stand in its place, the first of which it is spread over.
  const last = output.length - 1;
  const [w, wide] = [output[last]!, whole[last]! * (last > 0 ? strides[last - 1]! : 1)];
  const places = new Float64Array(w * wide);
  for (let i = 0; i < w; i++) places[i * wide + i * strides[last]!] = 1;
  let image = matmul(v, b.constant(Tensor.from(v.dtype, [w, wide], places), "places"));
  if (last > 1) {
    // Axes before these two: (…, d, 1, …) padded at the end to (…, d, s, …).
    const outer = output.slice(0, last - 1);
    const apart = [...outer.flatMap((o) => [o, 1]), output[last - 1]!, wide];
    const ends = [0, 0, ...outer.flatMap((_, i) => [0, strides[i]! - 1]), 0, 0];
    const padding = b.ints([...ends.map(() => 0), ...ends]);
    image = b.add("Pad", [reshape(image, [batch, c, ...apart]), padding], {});
  }
  image = reshape(image, [batch, c, ...whole]);
  const over = whole.map((s, i) => Math.max(0, s - input[i]!));
  if (over.some((o) => o > 0)) {
    image = slice(image, { starts: input.map(() => 0), ends: input, axes: input.map((_, i) => i + 2) });
  }
  const short = whole.map((s, i) => Math.max(0, input[i]! - s));
  if (short.every((s) => s === 0)) return image;
  const pad = [...new Array<number>(2 + input.length).fill(0), 0, 0, ...short];
  return b.add("Pad", [image, b.ints(pad)], {});
}
