import { ScconvError } from "../base/errors.js";
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
  reduceMean,
  reduceSum,
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
}

export const sruDefaults: SruSettings = {
  groups: 4,
  eps: 1e-5,
  threshold: 0.5,
  gate: "straight-through",
  scope: "element",
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

/** `sru.gn.weight` = 1 and `sru.gn.bias` = `bias`, under the current scope. */
export function sruParameters(x: Value, channels: number, bias = 0): SruParameters {
  const b = x.builder;
  return {
    weight: b.parameter("sru.gn.weight", filled([channels], 1, x.dtype)),
    bias: b.parameter("sru.gn.bias", filled([channels], bias, x.dtype)),
  };
}

/**
 * Spatial reconstruction unit (Li et al., CVPR 2023, §3.1, equations 1–6): separates x (N, C, H, W) into rich and
 * redundant features by the scale of a group normalisation, and adds them crosswise. Returns (N, C, H, W).
 */
export function sru(x: Value, { weight, bias }: SruParameters, settings: SruSettings): Value {
  const c = x.shape[1] as number;
  checkSru(c, settings, x.builder.scoped("sru"));
  const { gate, threshold, scope } = settings;
  const share = richness(weight);
  const vector = [1, c, 1, 1];
  // The gate's argument w_c·ĝ. It is compared as it is: σ(z) > t exactly when z > logit(t), and σ would round.
  const z =
    scope === "channel"
      ? expandLike(reshape(share, vector), x)
      : mul(groupNorm(x, weight, bias, settings), reshape(share, vector));

  if (gate === "soft") {
    const s = sigmoid(z);
    const open = greater(z, logit(threshold));
    return reconstruct(mul(x, where(open, 1, s)), mul(x, where(open, 0, s)), c);
  }
  const rich = gate === "hard" ? mask(greater(z, logit(threshold)), x) : straightThroughGate(z, threshold);
  const x1 = mul(x, rich);
  return reconstruct(x1, sub(x, x1), c);
}

/** [X11 + X22, X12 + X21] (equation 6). */
function reconstruct(x1: Value, x2: Value, channels: number): Value {
  const half = channels / 2;
  const [x11, x12] = split(x1, [half, half], 1) as [Value, Value];
  const [x21, x22] = split(x2, [half, half], 1) as [Value, Value];
  return concat([add(x11, x22), add(x12, x21)], 1);
}

/** w_c = γ_c / Σγ, the sum kept 1e-6 away from zero (equation 2). */
function richness(gamma: Value): Value {
  const sum = reduceSum(gamma, [0]);
  const smallest = where(less(sum, 0), -1e-6, gamma.builder.scalar(1e-6, gamma.dtype));
  return div(gamma, where(less(abs(sum), 1e-6), smallest, sum));
}

/** GroupNorm with biased variance (equation 1), of operators that every engine has. */
export function groupNorm(
  x: Value,
  gamma: Value,
  beta: Value,
  { groups, eps }: { groups: number; eps: number },
): Value {
  const [n, c, h, w] = x.shape as [number | string, number, number, number];
  const dynamic = [h, w].some((d) => typeof d !== "number");
  const grouped = reshape(x, [0, groups, dynamic ? -1 : (c / groups) * h * w]);
  const mean = reduceMean(grouped, [2]);
  const centred = sub(grouped, mean);
  const variance = reduceMean(mul(centred, centred), [2]);
  const normal = div(centred, sqrt(add(variance, eps)));
  const back = dynamic
    ? reshape(normal, x.builder.add("Shape", [x]))
    : reshape(normal, [typeof n === "number" ? n : -1, c, h, w]);
  return add(mul(back, reshape(gamma, [1, c, 1, 1])), reshape(beta, [1, c, 1, 1]));
}
