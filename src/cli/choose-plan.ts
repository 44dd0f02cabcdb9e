import { ScconvError } from "../base/errors.js";
import { type Choice, chooseForms, sum } from "../surgery/choose-layers.js";
import { fastestWithin, type Trial } from "../surgery/choose-within.js";
import type { LayerChoice } from "../surgery/swap-plan.js";
import { choiceOf, type FormSettings, type PlannedLayer } from "./layer-plan.js";
import type { Target } from "./unit-flags.js";

/** The share of the network's time that a choice may take at most: for less than these three hundredths nothing is swapped. */
export const WORTH = 0.97;

/** What a choice has to keep to. */
export interface Bounds {
  readonly target?: Target | undefined;
  /** Points of accuracy that may be lost, and how many a choice loses in a trial. */
  readonly accuracy?: { readonly maxDrop: number; lossOf(layers: LayerChoice): Promise<number> } | undefined;
}

export interface Timings {
  readonly layers: readonly PlannedLayer[];
  readonly forms: readonly FormSettings[];
  /** Milliseconds of the network as it is. */
  readonly total: number;
  /** For messages: the file. */
  readonly where: string;
}

export interface Chosen {
  /** With the form that each gets. */
  readonly layers: readonly PlannedLayer[];
  /** Time after ÷ before, by the sum of what layers save. */
  readonly predicted: number;
  readonly trials?: readonly Trial[] | undefined;
}

/**
 * The layers to swap, by what was measured: what pays most; under a target what costs least; under a bound of accuracy the fastest
 * that keeps it. Throws where nothing pays or no choice keeps to the bounds.
 */
export async function choosePlan(timings: Timings, { target, accuracy }: Bounds): Promise<Chosen> {
  const { forms, total } = timings;
  const chosen = chosenOf(timings, chooseForms(formsOf(timings), { total, latency: target?.latency }));
  const { predicted } = accuracy ? fastestOf(timings) : chosen;
  if (predicted > WORTH) throw nothingPays(predicted, timings);
  if (target && predicted > target.latency) throw outOfReach(target, predicted, timings);
  if (!accuracy) return chosen;
  const { maxDrop, lossOf } = accuracy;
  const within = await fastestWithin(
    formsOf(timings),
    { total, latency: Math.min(WORTH, target?.latency ?? 1), maxDrop },
    (choice) => lossOf(choiceOf({ ...chosenOf(timings, choice), forms })),
  );
  if (!within.chosen) throw losesTooMuch(maxDrop, within.trials, timings);
  return { ...chosenOf(timings, within.chosen), trials: within.trials };
}

/** All that pays. Throws where that is too little. */
export function fastestOf(timings: Timings): Chosen {
  const chosen = chosenOf(timings, chooseForms(formsOf(timings), { total: timings.total, latency: 0 }));
  if (chosen.predicted > WORTH) throw nothingPays(chosen.predicted, timings);
  return chosen;
}

const formsOf = ({ layers }: Timings) => layers.map((l) => l.forms);

function chosenOf(timings: Timings, choice: Choice): Chosen {
  return {
    layers: timings.layers.map((layer, i) => ({ ...layer, chosen: choice[i] })),
    predicted: 1 - sum(formsOf(timings), choice) / timings.total,
  };
}

const triedText = ({ layers: { length: convolutions }, forms: { length: forms } }: Timings) =>
  `${convolutions} convolution${convolutions === 1 ? "" : "s"} tried in ${forms} form${forms === 1 ? "" : "s"}`;

/** `uncertainty`: half the interval in which the share lies, where the choice was timed as a whole. */
export function nothingPays(best: number, tried: Timings, uncertainty = 0): ScconvError {
  const sure = uncertainty > 0 ? ` ± ${uncertainty.toFixed(3)}` : "";
  const text = best < 1 ? `takes ${best.toFixed(3)}${sure} of the network's time` : "is not surely faster";
  return new ScconvError("bad-input", "no swap makes this model faster on this machine", {
    where: tried.where,
    got: `${triedText(tried)}; the best choice ${text}`,
    need: `${WORTH} at most, and surely less than 1`,
    hint: "--layers all swaps for size all the same; a larger --latency-batch or other --threads may decide otherwise",
  });
}

function losesTooMuch(maxDrop: number, trials: readonly Trial[], { where, total }: Timings): ScconvError {
  const { swapped, saving, lost } = trials.reduce((a, b) => (b.lost < a.lost ? b : a));
  return new ScconvError("bad-input", "no faster choice keeps the accuracy", {
    where,
    got: `${lost.toFixed(2)} points lost with ${swapped} convolutions swapped, at ${(1 - saving / total).toFixed(3)} of the time: the least of ${trials.length} trials`,
    need: `${maxDrop} at most (--max-drop)`,
    hint: "trials train for a part of --epochs only, so that more of them tell more; or a larger --max-drop, or a --target alone",
  });
}

function outOfReach({ latency }: Target, best: number, tried: Timings): ScconvError {
  return new ScconvError("bad-input", "no swap reaches the target on this machine", {
    where: tried.where,
    got: `${triedText(tried)}; what is surely faster takes ${best.toFixed(3)} of the network's time together`,
    need: `${latency} at most`,
    hint: "a higher --target, or none, takes what can be had",
  });
}
