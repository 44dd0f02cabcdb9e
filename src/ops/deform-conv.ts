import { sizeOf, Tensor } from "../base/tensor.js";
import { intAttr } from "../graph/ir.js";
import { InferContext, none, type Operator } from "../graph/operator.js";
import { conv } from "./conv.js";
import { kernelOf, windowOf } from "./window.js";

/** Inputs: x, weight, offsets (N, groups·taps·2, out…), bias, mask (N, groups·taps, out…). */
const plain = (ctx: InferContext): InferContext =>
  new InferContext(
    ctx.node,
    [ctx.inputs[0], ctx.inputs[1], ctx.node.inputs[3] ? ctx.inputs[3] : undefined],
    [],
  );

/**
 * A convolution whose taps are moved by offsets of their own at every place, pixels between being interpolated, and weighed
 * by a mask (Dai et al., Deformable Convolutional Networks, ICCV 2017; Zhu et al., v2, CVPR 2019).
 */
export const deformConv: Operator = {
  type: "DeformConv",
  since: 19,
  infer: (ctx) => conv.infer(plain(ctx)),
  evaluate: ({ node, inputs, tensor }) => {
    const [x, w, offset, bias, mask] = [tensor(0), tensor(1), tensor(2), inputs[3], inputs[4]];
    const [group, parts] = [intAttr(node, "group", 1), intAttr(node, "offset_group", 1)];
    const [n, c, h, width] = x.dims as [number, number, number, number];
    const [m, cg] = w.dims as [number, number];
    const window = windowOf(node, x.dims, kernelOf(node, w.dims));
    const [oh, ow] = window.out as [number, number];
    const [outSize, taps] = [oh * ow, sizeOf(window.kernel)];
    const [xs, ws, os, bs, ms] = [x, w, offset, bias, mask].map((t) => t?.numbers());
    const pixel = (plane: number, y: number, k: number) =>
      y >= 0 && y < h && k >= 0 && k < width ? xs![plane + y * width + k]! : 0;
    const y = new Float64Array(n * m * outSize);
    for (let i = 0; i < n; i++) {
      for (let o = 0; o < outSize; o++) {
        // What each tap of each channel sees here.
        const seen = new Float64Array(c * taps);
        for (let t = 0; t < taps; t++) {
          const [ty, tx] = [Math.floor(t / window.kernel[1]!), t % window.kernel[1]!];
          for (let k = 0; k < c; k++) {
            const part = Math.floor(k / (c / parts));
            const at = (kind: number) => os![((i * parts + part) * taps * 2 + 2 * t + kind) * outSize + o]!;
            const py =
              Math.floor(o / ow) * window.strides[0]! + ty * window.dilations[0]! - window.begins[0]! + at(0);
            const px = (o % ow) * window.strides[1]! + tx * window.dilations[1]! - window.begins[1]! + at(1);
            const [y0, x0] = [Math.floor(py), Math.floor(px)];
            const [fy, fx] = [py - y0, px - x0];
            const plane = (i * c + k) * h * width;
            const value =
              (1 - fy) * ((1 - fx) * pixel(plane, y0, x0) + fx * pixel(plane, y0, x0 + 1)) +
              fy * ((1 - fx) * pixel(plane, y0 + 1, x0) + fx * pixel(plane, y0 + 1, x0 + 1));
            seen[k * taps + t] = value * (ms ? ms[((i * parts + part) * taps + t) * outSize + o]! : 1);
          }
        }
        for (let j = 0; j < m; j++) {
          const first = Math.floor(j / (m / group)) * cg;
          let sum = bs?.[j] ?? 0;
          for (let k = 0; k < cg * taps; k++) sum += ws![j * cg * taps + k]! * seen[first * taps + k]!;
          y[(i * m + j) * outSize + o] = sum;
        }
      }
    }
    return [Tensor.from(x.dtype, [n, m, oh, ow], y)];
  },
  // As for Conv; finding the pixels is not counted.
  cost: (ctx, outputs) => conv.cost(plain(ctx), outputs),
  grad: none("no derivative is given for deformable convolution"),
};
