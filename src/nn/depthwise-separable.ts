/*
 * Depthwise separable convolution: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
 * Applications", 2017, §3.1, equations 3–5, figure 3: a k×k filter for each channel, batch norm, ReLU, and a point-wise
 * convolution that combines them.
 */
import { batchNorm, conv, relu } from "./layers.js";
import type { ConvUnit } from "./slot.js";

/**
 * In place of a k×k convolution, x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉). The stride is the depthwise convolution's; the norm
 * and activation behind the point-wise one are the backbone's. Parameters `depthwise` (C, 1, k, k), `bn`, `pointwise`
 * (out, C, 1, 1): k²C + C·out instead of k²C·out.
 */
export const depthwiseSeparableUnit: ConvUnit = (x, out, name, random, { kernel, stride, dilation = 1 }) =>
  x.builder.scope(name, () => {
    const groups = x.shape[1] as number;
    const filtered = conv(x, groups, "depthwise", random, { kernel, stride, dilation, groups });
    return conv(relu(batchNorm(filtered, "bn")), out, "pointwise", random, { kernel: 1 });
  });
