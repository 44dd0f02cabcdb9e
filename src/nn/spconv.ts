/*
 * SPConv: Zhang, Jiang, Lu, Han, Zhou, Zhang, Zhang, Ma, "Split to Be Slim: An Overlooked Redundancy in Vanilla
 * Convolution", IJCAI 2020, §3 and figure 3. A share α of the channels is taken as representative and goes through a k×k
 * group-wise convolution with a point-wise one beside it; the rest goes through a point-wise convolution; both are fused
 * by a softmax over their pooled values. Norms, biases, pooling before strides: the authors' resnet_sp.py.
 */
import type { Value } from "../graph/builder.js";
import { add, globalAveragePool, mul, sigmoid, split, sub } from "../ops/emit.js";
import { batchNorm, conv, shrink } from "./layers.js";
import { badSetting, type ConvUnit, shareOf } from "./slot.js";

export interface SpConvSettings {
  /** Share α of the channels that are taken as representative, in (0, 1). */
  readonly alpha: number;
  /** Groups g of the k×k group-wise convolution. */
  readonly convGroups: number;
}

export const spConvDefaults: SpConvSettings = { alpha: 0.5, convGroups: 2 };

/**
 * In place of a k×k convolution, x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉). Parameters `gwc`, `pwc`, `conv1x1` (with bias)
 * and the batch norms `bn1`, `bn2`: with α = ½, g = 2, k = 3 and equal widths 3.25 C² + 5 C instead of 9 C².
 */
export const spConvUnit =
  (settings: Partial<SpConvSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride, dilation = 1 }) =>
    x.builder.scope(name, () => {
      const { alpha, convGroups: g } = { ...spConvDefaults, ...settings };
      const [rich, rest] = shareOf("SPConv", x, x.shape[1] as number, alpha);
      for (const [what, width] of [
        ["representative", rich],
        ["output", out],
      ] as const) {
        if (!Number.isInteger(g) || g < 1 || width % g !== 0) {
          throw badSetting("SPConv", x, "conv-groups", g, `a divisor of the ${width} ${what} channels`);
        }
      }
      const [representative, redundant] = split(x, [rich, rest], 1) as [Value, Value];
      const grouped = conv(representative, out, "gwc", random, { kernel, stride, dilation, groups: g });
      const pointwise = conv(shrink(representative, stride), out, "pwc", random, { kernel: 1 });
      const y3 = batchNorm(add(grouped, pointwise), "bn1");
      const y1 = batchNorm(
        conv(shrink(redundant, stride), out, "conv1x1", random, { kernel: 1, bias: true }),
        "bn2",
      );
      // β₃, β₁ = softmax over the pair of pooled values, channel by channel: a sigmoid of their difference.
      const d = sub(y3, y1);
      return add(y1, mul(sigmoid(globalAveragePool(d)), d));
    });
