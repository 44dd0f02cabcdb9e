import { type Choice, chooseForms, type Forms, sum } from "./choose-layers.js";

/** A choice of layers that was tried. */
export interface Trial {
  /** Convolutions that it replaces. */
  readonly swapped: number;
  /** Milliseconds that its layers save. */
  readonly saving: number;
  /** Points of accuracy that it lost. */
  readonly lost: number;
}

export interface AccuracyBudget {
  /** Milliseconds of the network as it is. */
  readonly total: number;
  /** Share of that which a choice may take at most. */
  readonly latency: number;
  /** Points of accuracy that it may lose. */
  readonly maxDrop: number;
}

export interface WithinBudget {
  /** Undefined where every choice that was tried lost more. */
  readonly chosen: Choice | undefined;
  readonly trials: readonly Trial[];
}

/** Choices between nothing and all that pays. */
const NOTCHES = 16;

/**
 * The fastest choice that loses no more than `maxDrop`. Errors of layers order the choices (for each saving the one of least
 * error), and a trial, `lossOf`, says what one of them really loses: bisection finds the last that is within the budget, because
 * what saves more loses more. The fastest is tried first, for it is often good enough.
 */
export async function fastestWithin(
  layers: readonly Forms[],
  { total, latency, maxDrop }: AccuracyBudget,
  lossOf: (chosen: Choice) => Promise<number>,
): Promise<WithinBudget> {
  const choices = bySaving(layers, total, latency);
  const trials: Trial[] = [];
  const fits = async (chosen: Choice) => {
    const lost = await lossOf(chosen);
    const swapped = chosen.filter((form) => form !== undefined).length;
    trials.push({ swapped, saving: sum(layers, chosen), lost });
    return lost <= maxDrop;
  };
  let [fitting, failing] = [-1, choices.length];
  for (let next = choices.length - 1; failing - fitting > 1; next = (fitting + failing) >> 1) {
    if (await fits(choices[next]!)) fitting = next;
    else failing = next;
  }
  return { chosen: choices[fitting], trials };
}

/** The choices of least error that are fast enough, each once, from the least saving to the most. */
function bySaving(layers: readonly Forms[], total: number, latency: number): Choice[] {
  const all = chooseForms(layers, { total, latency: 0 });
  const most = sum(layers, all) / total;
  const found = new Map<string, Choice>();
  for (let notch = 0; notch <= NOTCHES; notch++) {
    const share = Math.min(latency, 1 - (most * notch) / NOTCHES);
    const choice = chooseForms(layers, { total, latency: share });
    if (1 - sum(layers, choice) / total <= latency) found.set(choice.join(), choice);
  }
  return [...found.values()];
}
