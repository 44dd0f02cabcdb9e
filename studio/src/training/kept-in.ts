import type { TrainingOutcome } from "./protocol.js";

/** Whose weights a run left. */
export function keptIn({ kept, ended, epochs }: TrainingOutcome): string {
  if (kept === "calibration") return "the weights are those of the calibration.";
  if ("step" in kept) return `the weights are those of step ${kept.step}.`;
  const best = `the weights are those of epoch ${kept.epoch}`;
  if (typeof ended === "object") return `${best}, the best before that.`;
  return ended ? `${best}, which did better than the last step.` : `${best}, the best of ${epochs.length}.`;
}
