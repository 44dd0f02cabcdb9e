import { formatShape } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, intsAttr } from "../graph/ir.js";
import { free, type GradContext, type InferContext, type Operator } from "../graph/operator.js";
import { without } from "./axis.js";
import { div, equal, mask, mul, reduceSum } from "./emit.js";
import { forEachTap, type Window, windowOf } from "./window.js";

export const kernelOf = (ctx: { node: Parameters<typeof windowOf>[0] }) =>
  intsAttr(ctx.node, "kernel_shape") ?? [];

export function inferPool(ctx: InferContext) {
  const x = ctx.shape(0);
  const dtype = ctx.dtype(0);
  const kernel = kernelOf(ctx);
  if (!x) return [{ dtype, shape: undefined }];
  if (kernel.length !== x.length - 2) {
    throw ctx.error("kernel_shape does not fit the input", {
      got: `${kernel.join("×")} on ${formatShape(x)}`,
    });
  }
  return [{ dtype, shape: [x[0]!, x[1]!, ...windowOf(ctx.node, x, kernel).out] }];
}

/** How many pixels each window averages. */
function counts(w: Window, input: readonly number[], includePad: boolean): Float64Array {
  const outs = w.out as readonly number[];
  const n = new Float64Array(sizeOf(outs));
  if (!includePad) {
    forEachTap(w, input, (o) => {
      n[o]!++;
    });
    return n;
  }
  // Padding counts, but what ceil mode adds beyond it does not.
  const padded: Window = { ...w, begins: w.begins.map(() => 0), ends: w.ends.map(() => 0) };
  forEachTap(
    padded,
    input.map((d, i) => d + w.begins[i]! + w.ends[i]!),
    (o) => {
      n[o]!++;
    },
  );
  return n;
}

export const averagePool: Operator = {
  type: "AveragePool",
  since: 7,
  infer: inferPool,
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const input = x.dims.slice(2);
    const w = windowOf(node, x.dims, kernelOf({ node }));
    const n = counts(w, input, intAttr(node, "count_include_pad", 0) === 1);
    const planes = x.dims[0]! * x.dims[1]!;
    const [inSize, outSize] = [sizeOf(input), n.length];
    const xs = x.numbers();
    const y = new Float64Array(planes * outSize);
    forEachTap(w, input, (o, _t, at) => {
      for (let p = 0; p < planes; p++) y[p * outSize + o]! += xs[p * inSize + at]! / n[o]!;
    });
    return [Tensor.from(x.dtype, [x.dims[0]!, x.dims[1]!, ...(w.out as number[])], y)];
  },
  cost: free,
  downgrade: (node, to, make) => {
    if (to >= 19) return node;
    if (intsAttr(node, "dilations")?.some((d) => d !== 1)) throw make.cannot("set 19 (dilations)");
    return { ...node, attributes: without(node, "dilations") };
  },
  // dx: each output's share goes back to every pixel of its window.
  grad: (ctx) => [() => averageGradient(ctx)],
};

function averageGradient(ctx: GradContext): Value {
  const { node, b } = ctx;
  const dims = ctx.x(0).dims;
  const input = dims.slice(2);
  const w = windowOf(node, dims, kernelOf(ctx));
  const outs = w.out as readonly number[];
  const n = counts(w, input, intAttr(node, "count_include_pad", 0) === 1);
  const share = div(ctx.dy(), b.constant(Tensor.from(ctx.dy().dtype, [1, 1, ...outs], n), "window_count"));
  const exact = w.kernel.every(
    (k, i) => k === w.strides[i] && w.begins[i] === 0 && outs[i]! * k === input[i],
  );
  if (exact) {
    return repeat(share, w.kernel);
  }
  return scatter(ctx, share, w, input);
}

/** Each value over its whole window, for windows that tile the image: whole rows by Expand, along the last axis by a product. */
function repeat(v: Value, kernel: readonly number[]): Value {
  const b = v.builder;
  const [batch, c, ...outs] = v.dims as [number, number, ...number[]];
  const last = outs.length - 1;
  const [width, k] = [outs[last]!, kernel[last]!];
  const places = new Float64Array(width * width * k);
  for (let i = 0; i < width * k; i++) places[Math.floor(i / k) * width * k + i] = 1;
  const wide = b.add(
    "MatMul",
    [v, b.constant(Tensor.from(v.dtype, [width, width * k], places), "places")],
    {},
  );
  if (last === 0) return wide;
  const rows = outs.slice(0, last);
  const apart = b.add("Reshape", [wide, b.ints([batch, c, ...rows.flatMap((o) => [o, 1]), width * k])], {});
  const tall = b.add(
    "Expand",
    [apart, b.ints([batch, c, ...rows.flatMap((o, i) => [o, kernel[i]!]), width * k])],
    {},
  );
  return b.add("Reshape", [tall, b.ints([batch, c, ...rows.map((o, i) => o * kernel[i]!), width * k])], {});
}

/** Σ over windows: a transposed depthwise convolution with a kernel of ones. */
export function scatter(ctx: GradContext, v: Value, w: Window, input: readonly number[]): Value {
  const c = ctx.x(0).dims[1]!;
  const ones = Tensor.from(v.dtype, [c, 1, ...w.kernel], new Float64Array(c * sizeOf(w.kernel)).fill(1));
  const outs = w.out as readonly number[];
  const whole = outs.map(
    (o, i) => (o - 1) * w.strides[i]! + w.dilations[i]! * (w.kernel[i]! - 1) + 1 - w.begins[i]!,
  );
  const extra = whole.map((s, i) => Math.max(0, input[i]! - s));
  return ctx.b.add("ConvTranspose", [v, ctx.b.constant(ones, "window_ones")], {
    group: c,
    strides: w.strides,
    dilations: w.dilations,
    pads: [...w.begins, ...whole.map((s, i) => Math.max(0, s - input[i]!))],
    output_padding: extra.some((e) => e > 0) ? extra : undefined,
  });
}

export const pooledShape: Operator["infer"] = (ctx) => {
  const x = ctx.shape(0);
  return [{ dtype: ctx.dtype(0), shape: x && [x[0]!, x[1]!, ...x.slice(2).map(() => 1)] }];
};

export const overPlanes = (x: Tensor, f: (plane: ArrayLike<number>) => number): Tensor => {
  const planes = x.dims[0]! * x.dims[1]!;
  const size = x.size / Math.max(1, planes);
  const xs = Float64Array.from(x.numbers());
  const y = Array.from({ length: planes }, (_, p) => f(xs.subarray(p * size, (p + 1) * size)));
  return Tensor.from(x.dtype, [x.dims[0]!, x.dims[1]!, ...x.dims.slice(2).map(() => 1)], y);
};

export const globalAveragePool: Operator = {
  type: "GlobalAveragePool",
  since: 1,
  infer: pooledShape,
  evaluate: ({ tensor }) => [
    overPlanes(tensor(0), (p) => Array.from(p).reduce((a, b) => a + b, 0) / p.length),
  ],
  cost: free,
  grad: ({ x, dy }) => [() => div(dy(), sizeOf(x(0).dims.slice(2)))],
};

export const globalMaxPool: Operator = {
  type: "GlobalMaxPool",
  since: 1,
  infer: pooledShape,
  evaluate: ({ tensor }) => [
    overPlanes(tensor(0), (p) => Array.from(p).reduce((a, b) => Math.max(a, b), -Infinity)),
  ],
  cost: free,
  grad: ({ x, y, dy }) => [
    () => {
      const won = mask(equal(x(0), y()), dy());
      const axes = x(0)
        .shape.map((_, i) => i)
        .slice(2);
      return mul(won, div(dy(), reduceSum(won, axes)));
    },
  ],
};
