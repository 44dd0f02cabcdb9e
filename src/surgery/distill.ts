import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { consumers } from "../graph/walk.js";
import { add, div, mul, reduceSum, sub } from "../ops/emit.js";
import type { LossSettings } from "../train/loss.js";
import { classification, type Objective, type Traced } from "../train/step.js";
import type { UnitRecord } from "./unit.js";

/** ‖y − t‖² / ‖t‖² over a whole batch. */
export function relativeSquare(y: Value, target: Value): Value {
  const axes = target.shape.map((_, i) => i);
  const d = sub(y, target);
  return div(reduceSum(mul(d, d), axes, false), reduceSum(mul(target, target), axes, false));
}

/** A value of the original and the one that stands for it in the slimmed network. */
export interface HintPoint {
  readonly teacher: string;
  readonly student: string;
}

/**
 * Where the two networks are compared beside their logits: behind the addition that takes a unit's output, where there is
 * one (what the rest of the network goes on with), else at the unit itself.
 */
export function hintPoints(student: Graph, teacher: Graph, units: readonly UnitRecord[]): HintPoint[] {
  const [ours, theirs] = [consumers(student), consumers(teacher)];
  const sum = (readers: ReturnType<typeof consumers>, name: string) => {
    const [next, ...more] = readers.get(name) ?? [];
    return next?.op === "Add" && more.length === 0 ? next.outputs[0]! : undefined;
  };
  return units.map(({ output, target }) => {
    const [s, t] = [sum(ours, output), sum(theirs, target.output)];
    return s && t ? { student: s, teacher: t } : { student: output, teacher: target.output };
  });
}

export interface DistillSettings extends LossSettings {
  /** Weight of the hints: the mean relative squared distance of the features at the hint points (Romero et al. 2015). */
  readonly hintWeight: number;
}

/** The original as teacher: its answers (Hinton et al. 2015) and its features. */
export function distillation(
  student: Graph,
  teacher: Graph,
  units: readonly UnitRecord[],
  { hintWeight, ...settings }: DistillSettings,
): (traced: Traced) => Objective {
  const answers = classification(student, teacher, settings);
  const points = hintPoints(student, teacher, units);
  return (traced) => {
    const { loss, figures } = answers(traced);
    if (hintWeight === 0 || points.length === 0) return { loss, ...(figures ? { figures } : {}) };
    const hints = points
      .map((p) => relativeSquare(traced.student.get(p.student)!, traced.teacher!.get(p.teacher)!))
      .reduce((a, b) => add(a, b));
    return {
      loss: add(loss, mul(hints, hintWeight / points.length)),
      figures: { ...figures, hints: mul(hints, 1 / points.length) },
    };
  };
}
