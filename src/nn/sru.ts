import { isStatic } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import {
  abs,
  add,
  concat,
  div,
  expandLike,
  greater,
  less,
  logit,
  mask,
  mul,
  reciprocal,
  reduceMean,
  reduceSum,
  reduceSumSquare,
  reshape,
  sigmoid,
  split,
  sqrt,
  straightThroughGate,
  sub,
  where,
} from "../ops/emit.js";
import { filled } from "./init.js";

/** How the gate passes gradients (SPEC.md, SRU). */
export type Gate = "straight-through" | "hard" | "soft";
/** Whether a channel decides for each pixel (paper, equation 3) or once. */
export type Scope = "element" | "channel";

export interface SruSettings {
  /** GroupNorm groups G; divides the channels. */
  readonly groups: number;
  readonly eps: number;
  /** Gate threshold t in (0, 1). */
  readonly threshold: number;
  readonly gate: Gate;
  readonly scope: Scope;
  /** β at the start. At 0 the gate begins half closed and drops what only one of two halves has; from 2 on it begins open. */
  readonly gateBias: number;
}

export const sruDefaults: SruSettings = {
  groups: 4,
  eps: 1e-5,
  threshold: 0.5,
  gate: "straight-through",
  scope: "element",
  gateBias: 0,
};

/** Refuses settings that do not fit `channels`, naming the layer, the setting, its value and what would be valid. */
export function checkSru(channels: number, { groups, threshold }: SruSettings, layer: string): void {
  const bad = (setting: string, got: number, need: string) =>
    new ScconvError("bad-setting", `SRU: ${setting} does not fit`, { where: layer, got: `${got}`, need });
  if (channels % 2 !== 0) throw bad("the number of channels", channels, "an even number");
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw bad("groups", groups, `a divisor of the ${channels} channels`);
  }
  if (!(threshold > 0 && threshold < 1)) throw bad("threshold", threshold, "a number between 0 and 1");
}

export interface SruParameters {
  /** γ, (C). */
  readonly weight: Value;
  /** β, (C). */
  readonly bias: Value;
}

/** `sru.gn.weight` = 1 and `sru.gn.bias` = `gateBias`, under the current scope. */
export function sruParameters(x: Value, channels: number, { gateBias }: SruSettings): SruParameters {
  const b = x.builder;
  return {
    weight: b.parameter("sru.gn.weight", filled([channels], 1, x.dtype)),
    bias: b.parameter("sru.gn.bias", filled([channels], gateBias, x.dtype)),
  };
}

/**
 * Spatial reconstruction unit (Li et al., CVPR 2023, §3.1, equations 1–6): separates x (N, C, H, W) into rich and
 * redundant features by the scale of a group normalisation, and adds them crosswise. Returns (N, C, H, W).
 */
export function sru(x: Value, parameters: SruParameters, settings: SruSettings): Value {
  return concat(sruHalves(x, parameters, settings), 1);
}

/** The two halves, by channel, of what `sru` returns: whoever cuts it up again need not join them first. */
export function sruHalves(x: Value, { weight, bias }: SruParameters, settings: SruSettings): [Value, Value] {
  const c = x.shape[1] as number;
  checkSru(c, settings, x.builder.scoped("sru"));
  const { gate, threshold } = settings;
  const share = richness(weight);
  const half = c / 2;
  if (gate !== "soft" && threshold === 1 / 2 && isStatic(x.shape.slice(2))) {
    // With the second half's argument turned, m = [M1, 1 − M2] in one go, and X11 + X22 is the sum of the halves of m ⊙ x; the rest
    // of both halves is X12 + X21. Nothing is cut, and nothing joined in the backward pass.
    const z = gateArgument(x, { weight, bias }, { share, turned: true }, settings);
    const m = gate === "hard" ? mask(greater(z, 0), x) : straightThroughGate(z, threshold);
    const [, , h, w] = x.shape as [number | string, number, number, number];
    const byHalves = (v: Value) => reshape(v, [0, 2, half * h * w]);
    const whole = byHalves(x);
    const first = reduceSum(mul(whole, byHalves(m)), [1]);
    const second = sub(reduceSum(whole, [1]), first);
    return [reshape(first, [0, half, h, w]), reshape(second, [0, half, h, w])];
  }
  // The gate's argument w_c·ĝ. It is compared as it is: σ(z) > t exactly when z > logit(t), and σ would round.
  const z = gateArgument(x, { weight, bias }, { share, turned: false }, settings);
  const halves = (v: Value) => split(v, [half, half], 1) as [Value, Value];
  if (gate === "soft") {
    const s = sigmoid(z);
    const open = greater(z, logit(threshold));
    const [x11, x12] = halves(mul(x, where(open, 1, s)));
    const [x21, x22] = halves(mul(x, where(open, 0, s)));
    return [add(x11, x22), add(x12, x21)];
  }
  const rich = gate === "hard" ? mask(greater(z, logit(threshold)), x) : straightThroughGate(z, threshold);
  // X2 = x − X1, so X11 + X22 = b + (X11 − X12) and X12 + X21 = a − (X11 − X12), with x = [a, b].
  const [x11, x12] = halves(mul(x, rich));
  const [a, b] = halves(x);
  const d = sub(x11, x12);
  return [add(b, d), sub(a, d)];
}

/** w_c = γ_c / Σγ, the sum kept 1e-6 away from zero (equation 2). */
function richness(gamma: Value): Value {
  const sum = reduceSum(gamma, [0]);
  const smallest = where(less(sum, 0), -1e-6, gamma.builder.scalar(1e-6, gamma.dtype));
  return div(gamma, where(less(abs(sum), 1e-6), smallest, sum));
}

/** Far below every number that decides anything, and above where steps are told apart (one-pass-comparisons.ts). */
const TIE = 1e-20;

/**
 * w_c·ĝ, or w_c with `scope` channel, as wide as x. `turned`: of the second half of the channels the negative, which is above 0 where
 * the argument is not, a channel whose scale is 0 included.
 */
function gateArgument(
  x: Value,
  { weight, bias }: SruParameters,
  { share, turned }: { share: Value; turned: boolean },
  settings: SruSettings,
): Value {
  const c = x.shape[1] as number;
  const isSecond = Array.from({ length: c }, (_, i) => Number(i >= c / 2));
  // Bits, not floats: numbers that nobody learns are not to be counted as parameters.
  const second = turned && mask(x.builder.constant(Tensor.from("bool", [c], isSecond), "second_half"), x);
  const w = second ? mul(share, sub(1, mul(second, 2))) : share;
  const untied = (v: Value) => (second ? add(v, mul(second, TIE)) : v);
  if (settings.scope === "channel") return expandLike(reshape(untied(w), [1, c, 1, 1]), x);
  return normalised(x, { slope: mul(w, weight), offset: untied(mul(w, bias)) }, settings);
}

/**
 * GroupNorm(x; slope, offset) as one affine map with two numbers for each image and channel, x·p + q with p = slope/σ and
 * q = offset − p·μ: two passes over x instead of seven. Biased variance (equation 1).
 */
function normalised(
  x: Value,
  affine: { slope: Value; offset: Value },
  { groups, eps }: { groups: number; eps: number },
): Value {
  const [, c, h, w] = x.shape as [number | string, number, number, number];
  const size = typeof h === "number" && typeof w === "number" ? (c / groups) * h * w : undefined;
  const grouped = reshape(x, [0, groups, size ?? -1]);
  const mean = reduceMean(grouped, [2]);
  const square = size ? div(reduceSumSquare(grouped, [2]), size) : reduceMean(mul(grouped, grouped), [2]);
  const variance = sub(square, mul(mean, mean));
  const inverse = reciprocal(sqrt(add(variance, eps)));
  const vector = (v: Value) => reshape(v, [1, groups, c / groups]);
  const slope = mul(vector(affine.slope), inverse);
  const offset = sub(vector(affine.offset), mul(slope, mean));
  const plane = (v: Value) => reshape(v, [0, c, 1, 1]);
  return add(mul(x, plane(slope)), plane(offset));
}
