import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import {
  add,
  div,
  equal,
  logSoftmax,
  mask,
  mul,
  neg,
  reduceMax,
  reduceSum,
  softmax,
  sub,
  unsqueeze,
} from "../ops/emit.js";
import type { Mixed } from "./mixup.js";

/** The figure that counts hits: over micro-batches it is added up, where other figures are averaged. */
export const CORRECT = "correct";

export interface LossSettings {
  /** Share of the target spread over all classes (Szegedy et al. 2016). */
  readonly labelSmoothing?: number;
  /** Distillation (Hinton et al. 2015): temperature T and the weight of the teacher against the labels. */
  readonly temperature?: number;
  readonly distillWeight?: number;
}

/** Labels (N) → (N, K), one where the class is the label, in the element type of `like`. */
export function oneHot(labels: Value, classes: number, like: Value): Value {
  const range = labels.builder.constant(
    Tensor.from(
      labels.dtype,
      [1, classes],
      Array.from({ length: classes }, (_, i) => i),
    ),
    "classes",
  );
  return mask(equal(unsqueeze(labels, [1]), range), like);
}

/** −mean over the batch of Σ target·log p; logits and target (N, K). */
export function crossEntropy(logits: Value, target: Value): Value {
  const [n] = logits.dims;
  return div(neg(reduceSum(mul(target, logSoftmax(logits, 1)), [0, 1], false)), n!);
}

/**
 * (1 − λ)·CE(labels) + λ·T²·CE(softmax(teacher/T), student/T); the teacher's own entropy, a constant, is left out of the
 * derivative but not of the figure: what is returned is the Kullback–Leibler form up to that constant.
 */
export function classificationLoss(
  logits: Value,
  labels: Value,
  teacher: Value | undefined,
  { labelSmoothing = 0, temperature = 4, distillWeight = 0.9 }: LossSettings,
  mixed?: Mixed,
): Value {
  const classes = logits.dims[1]!;
  const hot = mixture((l) => oneHot(l, classes, logits), labels, mixed);
  const target = labelSmoothing === 0 ? hot : add(mul(hot, 1 - labelSmoothing), labelSmoothing / classes);
  if (!teacher || distillWeight === 0) return crossEntropy(logits, target);
  const soft = softmax(mul(teacher, 1 / temperature), 1);
  const distilled = mul(crossEntropy(mul(logits, 1 / temperature), soft), temperature ** 2 * distillWeight);
  if (distillWeight === 1) return distilled;
  return add(distilled, mul(crossEntropy(logits, target), 1 - distillWeight));
}

/** How many of the batch have the label's logit on top (ties count as hits); with mixup by each label's share. */
export function correct(logits: Value, labels: Value, mixed?: Mixed): Value {
  const top = mask(equal(logits, reduceMax(logits, [1])), logits);
  const target = mixture((l) => oneHot(l, logits.dims[1]!, logits), labels, mixed);
  return reduceSum(mul(top, target), [0, 1], false);
}

/** λ·f(labels) + (1 − λ)·f(labels mixed in). */
function mixture(f: (labels: Value) => Value, labels: Value, mixed: Mixed | undefined): Value {
  if (!mixed) return f(labels);
  const rest = sub(labels.builder.scalar(1), mixed.share);
  return add(mul(f(labels), mixed.share), mul(f(mixed.labels), rest));
}
