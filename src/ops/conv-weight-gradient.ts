import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import type { GradContext } from "../graph/operator.js";
import { type ConvSizes, sizesOf } from "./conv-gradient.js";
import { conv, matmul, reduceSum, reshape, slice, transpose } from "./emit.js";

/*
 * dw[m, c, k] = Σ_{n, o} dy[n, m, o] · x[n, c, o·s + k·d − p]: a convolution of x with dy as its kernel. Four forms of it, by
 * what they cost (docs/decisions.md has the measurements):
 *   point-wise   one product, dy · xᵀ, over all images at once or image by image
 *   separable    Σ over h′, w of (dy shifted by rows) · (x shifted by columns)ᵀ: both are widened k times instead of one k²
 *                times, and the product is square (stride 1, dilation 1)
 *   columns      dy · (x widened k² times)ᵀ
 *   whole        one convolution with an extra axis: nothing is widened, for many channels on few pixels of few images
 */

/** dw, in the shape of w. */
export function weightGradient(ctx: GradContext): Value {
  const sizes = sizesOf(ctx);
  const { window, group, rank, output } = sizes;
  const [m, c, ...kernel] = ctx.x(1).dims as [number, number, ...number[]];
  const taps = kernel.reduce((a, b) => a * b, 1);
  const pixels = output.reduce((a, b) => a * b, 1);
  if (group !== 1 || rank > 2) return whole(ctx, sizes);
  if (taps === 1 && [...window.begins, ...window.ends].every((p) => p === 0)) return pointwise(ctx, sizes);
  const plain = [...window.strides, ...window.dilations].every((s) => s === 1);
  const separable = rank === 2 && plain && kernel[0]! > 1 && kernel[1]! > 1 && sameSize(sizes);
  /** Fewer weights than values that so many images have. */
  const narrowFor = (images: number) => m * c * taps < 2 * images * pixels * (m + c);
  if (!narrowFor(1)) {
    return separable && narrowFor(ctx.x(0).dims[0]!) ? separate(ctx, sizes) : whole(ctx, sizes);
  }
  return separable && c * taps > c * kernel[1]! + m * kernel[0]! ? separate(ctx, sizes) : columns(ctx, sizes);
}

const sameSize = ({ input, output }: ConvSizes): boolean => input.every((d, i) => d === output[i]);

/**
 * Σ over the batch of a (N, P, L) · b (N, Q, L)ᵀ: (P, Q). One product over all images, where what is turned for it is smaller than the
 * sums that products image by image leave. The engine packs what stands on the right, so the smaller one stands there, unless
 * sums are so large beside the pixels that they decide (docs/decisions.md).
 */
export function products(a: Value, b: Value): Value {
  const [n, p, pixels] = a.dims as [number, number, number];
  const q = b.dims[1]!;
  const byImage = n === 1 || pixels * (p + q) >= p * q;
  if (p < q && q <= 4 * (byImage ? pixels : n * pixels)) return transpose(products(b, a), [1, 0]);
  if (byImage) return reduceSum(matmul(a, transpose(b, [0, 2, 1])), [0], false);
  const turned = (v: Value) => reshape(transpose(v, [1, 0, 2]), [v.dims[1]!, n * pixels]);
  return matmul(turned(a), transpose(turned(b), [1, 0]));
}

/** With a stride only of the pixels that it sees. */
function pointwise(ctx: GradContext, { window, input, output }: ConvSizes): Value {
  const [m, c] = ctx.x(1).dims as [number, number];
  const [n] = ctx.x(0).dims as [number];
  const pixels = output.reduce((a, b) => a * b, 1);
  const strided = window.strides.some((s) => s !== 1);
  const axes = input.map((_, i) => i + 2);
  const seen = { starts: input.map(() => 0), ends: input, axes, steps: window.strides };
  const x = reshape(strided ? slice(ctx.x(0), seen) : ctx.x(0), [n, c, pixels]);
  return reshape(products(reshape(ctx.dy(), [n, m, pixels]), x), ctx.x(1).dims);
}

/** v (N, C, H, W) → (N, C·T, …): the pixels that each of the T taps sees, by a depthwise convolution of ones and zeros. */
function widen(
  v: Value,
  kernel: readonly number[],
  {
    begins,
    ends,
    strides,
    dilations,
  }: Record<"begins" | "ends" | "strides" | "dilations", readonly number[]>,
): Value {
  const c = v.dims[1]!;
  const taps = kernel.reduce((a, b) => a * b, 1);
  const ones = new Float64Array(c * taps * taps);
  for (let i = 0; i < c * taps; i++) ones[i * taps + (i % taps)] = 1;
  const weight = v.builder.constant(Tensor.from(v.dtype, [c * taps, 1, ...kernel], ones), "taps");
  return conv(v, weight, undefined, { group: c, pads: [...begins, ...ends], strides, dilations });
}

const unit = [1, 1];

/**
 * With h′ = h + i − p: dw[m, c, i, j] = Σ_{h′, w} dy[m, h′ − i + p, w] · x[c, h′, w + j − p]. Rows of dy are shifted the
 * other way, so its taps run backwards.
 */
function separate(ctx: GradContext, { window, input }: ConvSizes): Value {
  const [n] = ctx.x(0).dims as [number];
  const [m, c, kh, kw] = ctx.x(1).dims as [number, number, number, number];
  const pixels = input[0]! * input[1]!;
  const [ph, pw] = window.begins as [number, number];
  const plain = { strides: unit, dilations: unit };
  const rows = widen(ctx.dy(), [kh, 1], { begins: [kh - 1 - ph, 0], ends: [ph, 0], ...plain });
  const cols = widen(ctx.x(0), [1, kw], { begins: [0, pw], ends: [0, kw - 1 - pw], ...plain });
  const dw = products(reshape(rows, [n, m * kh, pixels]), reshape(cols, [n, c * kw, pixels]));
  // (M, kh reversed, C, kw) → (M, C, kh, kw)
  const ordered = transpose(reshape(dw, [m, kh, c, kw]), [0, 2, 1, 3]);
  return slice(ordered, { starts: [-1], ends: [-(2 ** 31)], axes: [2], steps: [-1] });
}

function columns(ctx: GradContext, sizes: ConvSizes): Value {
  const { window, output } = sizes;
  const [n] = ctx.x(0).dims as [number];
  const [m, c, ...kernel] = ctx.x(1).dims as [number, number, ...number[]];
  const pixels = output.reduce((a, b) => a * b, 1);
  const taps = kernel.reduce((a, b) => a * b, 1);
  const wide = widen(ctx.x(0), kernel, window);
  const dw = products(reshape(ctx.dy(), [n, m, pixels]), reshape(wide, [n, c * taps, pixels]));
  return reshape(dw, [m, c, ...kernel]);
}

/**
 * In one and two dimensions the channels of x become an extra spatial axis (x as (1, N, C, …), dy as (M, N, 1, …)), which
 * the engine runs as one large product; in three there is no such axis left, and the channels of x become the batch.
 */
function whole(ctx: GradContext, { window, group, input, output, rank }: ConvSizes): Value {
  const { kernel, strides, dilations, begins } = window;
  const [x, dy, w] = [ctx.x(0), ctx.dy(), ctx.x(1)];
  const [n, c] = x.dims as [number, number];
  const [m, cg] = w.dims as [number, number];
  const spatial = input.map((_, i) => i + 2);
  // Only as much end padding as the last tap of the last window reaches into.
  const ends = input.map((size, i) =>
    Math.max(0, (kernel[i]! - 1) * dilations[i]! + (output[i]! - 1) * strides[i]! + 1 - size - begins[i]!),
  );
  const swapped = { strides: dilations, dilations: strides };
  const byOutput = transpose(dy, [1, 0, ...spatial]);
  let dw: Value;
  if (rank <= 2) {
    let columns = reshape(x, [1, n, c, ...input]);
    if (group > 1) {
      const byGroup = transpose(reshape(x, [n, group, cg, ...input]), [
        1,
        0,
        2,
        ...spatial.map((a) => a + 1),
      ]);
      columns = reshape(byGroup, [1, group * n, cg, ...input]);
    }
    dw = conv(columns, reshape(byOutput, [m, n, 1, ...output]), undefined, {
      strides: [1, ...swapped.strides],
      dilations: [1, ...swapped.dilations],
      pads: [0, ...begins, 0, ...ends],
      group,
    });
    dw = cut(dw, kernel, 3);
    return reshape(dw, [m, cg, ...kernel]);
  }
  const byChannel =
    group === 1
      ? transpose(x, [1, 0, ...spatial])
      : reshape(transpose(reshape(x, [n, group, cg, ...input]), [2, 1, 0, ...spatial.map((a) => a + 1)]), [
          cg,
          group * n,
          ...input,
        ]);
  dw = conv(byChannel, byOutput, undefined, { ...swapped, pads: [...begins, ...ends], group });
  return transpose(cut(dw, kernel, 2), [1, 0, ...spatial]);
}

/** The first `kernel` positions: a stride that does not divide the image leaves more behind them. */
function cut(dw: Value, kernel: readonly number[], first: number): Value {
  const axes = kernel.map((_, i) => i + first).filter((a, i) => dw.shape[a] !== kernel[i]);
  if (axes.length === 0) return dw;
  return slice(dw, { starts: axes.map(() => 0), ends: axes.map((a) => kernel[a - first]!), axes });
}
