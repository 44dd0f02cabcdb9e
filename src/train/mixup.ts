import { randomBeta } from "d3-random";
import { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { add, concat, mul, slice, sub } from "../ops/emit.js";

/**
 * Mixup (Zhang et al. 2018): images λx + (1 − λ)x′ and targets mixed alike, λ ~ Beta(α, α), one for the batch. x′ is the
 * batch moved on by one: which images come together in a shuffled batch is drawn already, so its neighbours are a random
 * pairing, and nobody is paired with himself.
 */
export interface MixupSettings {
  /** α. */
  readonly alpha: number;
  readonly seed: number;
}

/** What the batch's images were mixed with. */
export interface Mixed {
  /** (N), of x′. */
  readonly labels: Value;
  /** λ, a scalar. */
  readonly share: Value;
}

/** Keeps these draws apart from all others under the same seed. */
const STREAM = 0x6d69786d;

/** λ as a function of the update (from 1: epoch and batch in one number) and the micro-batch within it. */
export const mixupShare =
  ({ alpha, seed }: MixupSettings) =>
  (step: number, micro = 0): number => {
    const random = new Random(seed, STREAM, step, micro);
    return randomBeta.source(() => random.next())(alpha, alpha)();
  };

/** The mixed images, and what is needed to mix the targets. The arithmetic is the graph's, so no host copies a batch. */
export function mixBatch(images: Value, labels: Value, share: Value): { images: Value; mixed: Mixed } {
  const rest = sub(share.builder.scalar(1), share);
  return {
    images: add(mul(images, share), mul(movedOn(images), rest)),
    mixed: { labels: movedOn(labels), share },
  };
}

/** x₁, x₂ … x₀. */
function movedOn(x: Value): Value {
  const n = x.dims[0]!;
  if (n === 1) return x;
  const part = (from: number, to: number) => slice(x, { starts: [from], ends: [to], axes: [0] });
  return concat([part(1, n), part(0, 1)], 0);
}
