import type { Value } from "../graph/builder.js";
import { add, mul, sub } from "../ops/emit.js";

/**
 * Exponential moving average of the weights (Polyak & Juditsky 1992; in this form in Szegedy et al. 2016): a ← k·a +
 * (1 − k)·w after every update. The running statistics of batch norms are averaged alike, so that they belong to the
 * averaged weights.
 */
export const averageSlots = { parameters: "average", statistics: "average_statistics" } as const;

export const KEEP = "average_keep";

/** k at update `step` (from 1): `decay`, but less at first, so that the start is forgotten (as TensorFlow does it). */
export const averageKeep =
  (decay: number) =>
  (step: number): number =>
    Math.min(decay, (1 + step) / (10 + step));

export const averaged = (average: Value, value: Value, keep: Value): Value =>
  add(mul(average, keep), mul(value, sub(keep.builder.scalar(1), keep)));
