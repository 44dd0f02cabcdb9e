/*
 * SlimConv: Qiu, Chen, Liu, Zeng, "SlimConv: Reducing Channel Redundancy in Convolutional Neural Networks by Weights
 * Flipping", 2020 (arXiv 2003.07469; IEEE TIP 2021), §3. Reconstruct: channel weights w from squeeze and excitation, and
 * the same flipped, give two weighted copies of x, each folded over itself. Transform: a k×k convolution of the one; a
 * point-wise and a k×k convolution of the other. Fuse: both together. The output has C/k channels.
 */
import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { add, concat, globalAveragePool, mul, relu, sigmoid, slice, split } from "../ops/emit.js";
import { batchNorm, conv } from "./layers.js";
import { badSetting, type ConvUnit } from "./slot.js";

export interface SlimConvSettings {
  /** How many times fewer channels come out: 1, or n·⅔ for n from 2 (4/3, 2, 8/3 …). */
  readonly slimK: number;
}

export const slimConvDefaults: SlimConvSettings = { slimK: 1 };

interface Plan {
  /** Copies that are folded into one. */
  readonly folds: number;
  /** Channels out of the upper branch, between the two convolutions of the lower one, and out of that. */
  readonly upper: number;
  readonly between: number;
  readonly lower: number;
  /** Reduction of squeeze and excitation. */
  readonly reduction: number;
}

/**
 * The authors' code is k = 4/3: folded in 2, C/2 + C/4 channels out, reduction 32. The sizes of their other models (k = 8/3,
 * 12.10 M; the figure of compression ratios from k = 2 to 16/3) are met by folding in 3k/2, with branches of C/(3k/2) and
 * C/(3k). Of k = 1 the size alone was published, 18.81 M for ResNet-50: with two halves out (C/4 → C/2 in the lower branch) and
 * a reduction of 16 it is 18.80 M, with the norm that the authors' code would have besides 18.81 M; a reduction of 32 gives 18.72.
 */
function planOf(x: Value, out: number, k: number): Plan {
  const input = x.shape[1] as number;
  const folds = k === 1 ? 2 : Math.round(1.5 * k);
  if (!(k === 1 || (folds >= 2 && Math.abs(1.5 * k - folds) < 1e-6))) {
    throw badSetting("SlimConv", x, "slim-k", k, "1, 4/3, 2, 8/3 or another multiple of 2/3 from 4/3");
  }
  if (input % folds !== 0) {
    throw badSetting(
      "SlimConv",
      x,
      "slim-k",
      k,
      `a fold of ${folds} that divides the ${input} input channels`,
    );
  }
  const parts = k === 1 ? 4 : 2 * folds;
  if (out % parts !== 0) {
    throw badSetting(
      "SlimConv",
      x,
      "slim-k",
      k,
      `an output of a multiple of ${parts} channels, not of ${out}`,
    );
  }
  const thin = out / parts;
  const between = Math.max(1, Math.floor(input / parts));
  return k === 1
    ? { folds, upper: 2 * thin, between, lower: 2 * thin, reduction: 16 }
    : { folds, upper: 2 * thin, between, lower: thin, reduction: 32 };
}

/**
 * In place of a k×k convolution, x (N, C, H, W) → (N, out/slimK, ⌈H/s⌉, ⌈W/s⌉): the layer that follows reads fewer channels
 * than it would have. The strides are the k×k convolutions'. Parameters as in the authors' code, `fc`, `conv2_1`, `conv2_2`, but
 * for the norm at the end of each branch, which there takes the place of the backbone's: here it is the backbone's.
 */
export const slimConvUnit =
  (settings: Partial<SlimConvSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride, dilation = 1 }) =>
    x.builder.scope(name, () => {
      const plan = planOf(x, out, { ...slimConvDefaults, ...settings }.slimK);
      const window = { kernel, stride, dilation };
      const weights = excite(x, plan.reduction, random);
      const flipped = slice(weights, { starts: [-1], ends: [-(2 ** 31)], axes: [1], steps: [-1] });
      const [one, other] = [weights, flipped].map((w) => fold(mul(x, w), plan.folds)) as [Value, Value];
      const upper = conv(one, plan.upper, "conv2_1.0", random, window);
      const thin = batchNorm(conv(other, plan.between, "conv2_2.0", random, { kernel: 1 }), "conv2_2.1");
      const lower = conv(relu(thin), plan.lower, "conv2_2.3", random, window);
      return concat([upper, lower], 1);
    });

/** Squeeze and excitation: (N, C, H, W) → weights (N, C, 1, 1) in (0, 1). At least one hidden channel. */
function excite(x: Value, reduction: number, random: Random): Value {
  const c = x.shape[1] as number;
  const hidden = Math.max(1, Math.floor(c / reduction));
  const squeezed = batchNorm(conv(globalAveragePool(x), hidden, "fc.0", random, { kernel: 1 }), "fc.1");
  return sigmoid(conv(relu(squeezed), c, "fc.3", random, { kernel: 1, bias: true }));
}

/** The sum of `folds` equal parts by channel. */
function fold(x: Value, folds: number): Value {
  const part = (x.shape[1] as number) / folds;
  return split(x, new Array<number>(folds).fill(part), 1).reduce((a, b) => add(a, b));
}
