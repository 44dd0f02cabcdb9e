/*
 * Which convolutions to replace, and by what, once it is known what each costs in time and, where there is data, in
 * accuracy. Savings of layers add up, because each was timed in its surroundings; errors are taken to add up, too.
 */

/** A form that could stand for a convolution. */
export interface Form {
  /** Milliseconds by which the network gets faster with it; below 0 slower. */
  readonly saving: number;
  /** Half the width of the interval in which the saving lies. */
  readonly uncertainty: number;
  /** ‖unit − target‖ / ‖target‖ that is left after a short calibration. */
  readonly error?: number | undefined;
}

/** What could stand for a convolution, in the order of the forms that are tried; undefined where one does not fit it. */
export type Forms = readonly (Form | undefined)[];

/** For each layer the number of the form that it gets, or undefined where it stays. */
export type Choice = readonly (number | undefined)[];

export interface Budget {
  /** Milliseconds of the network as it is. */
  readonly total: number;
  /** What it may take at most, as a share of that; without, all that pays is taken. */
  readonly latency?: number | undefined;
}

/** The least saving that counts, as a share of the network's time: below it the clock decides by chance. */
const LEAST = 0.001;

/**
 * A form that is not surely faster is never taken. Without a target every layer takes the form that saves most, or, where
 * errors are known, most for its error; with one, the choice of least error (or of fewest layers, where no errors are known)
 * that meets it, or what saves most where none does.
 */
export function chooseForms(layers: readonly Forms[], { total, latency }: Budget): Choice {
  const pays = (f: Form) => f.saving - f.uncertainty > LEAST * total;
  const best = (score: (f: Form) => number) =>
    layers.map((forms) => {
      const paying = forms.flatMap((f, i) => (f && pays(f) ? [{ f, i }] : []));
      paying.sort((a, b) => score(b.f) - score(a.f));
      return paying[0]?.i;
    });
  const fastest = best((f) => f.saving);
  if (latency === undefined) return best((f) => f.saving / (f.error ?? 1));
  const needed = total * (1 - latency);
  const most = sum(layers, fastest);
  if (most <= needed) return fastest;
  return cheapest(
    layers.map((forms) => forms.map((f) => (f && pays(f) ? f : undefined))),
    needed,
    most,
  );
}

/** What a choice saves, in milliseconds. */
export const sum = (layers: readonly Forms[], chosen: Choice): number =>
  chosen.reduce<number>((total, form, i) => total + (form === undefined ? 0 : layers[i]![form]!.saving), 0);

const STEPS = 1000;

/** The multiple-choice knapsack by dynamic programming over savings in steps, rounded down. */
function cheapest(layers: readonly Forms[], needed: number, most: number): Choice {
  const step = most / STEPS;
  const goal = Math.ceil(needed / step);
  // cost[s]: least error for a saving of at least s steps.
  let cost = Float64Array.from({ length: goal + 1 }, (_, s) => (s === 0 ? 0 : Number.POSITIVE_INFINITY));
  const took: Int32Array[] = [];
  for (const forms of layers) {
    const next = Float64Array.from(cost);
    const by = new Int32Array(goal + 1).fill(-1);
    forms.forEach((form, i) => {
      if (!form) return;
      const gain = Math.floor(form.saving / step);
      for (let s = 0; s <= goal; s++) {
        const c = cost[Math.max(0, s - gain)]! + (form.error ?? 1);
        if (c < next[s]!) {
          next[s] = c;
          by[s] = i;
        }
      }
    });
    took.push(by);
    cost = next;
  }
  const chosen: (number | undefined)[] = new Array(layers.length).fill(undefined);
  for (let i = layers.length - 1, s = goal; i >= 0; i--) {
    const form = took[i]![s]!;
    if (form < 0) continue;
    chosen[i] = form;
    s = Math.max(0, s - Math.floor(layers[i]![form]!.saving / step));
  }
  return chosen;
}
