import { ScconvError } from "../base/errors.js";

/**
 * Readers of flag values. What no model and no machine could take is a mistake of usage (exit status 2) and is found
 * before any work begins.
 */

const wrong = (flag: string, got: string, need: string) =>
  new ScconvError("usage", "not a possible value", { where: flag, got: `"${got}"`, need });

/** A whole number from `least`. */
export const whole =
  (flag: string, least = 1) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(n) || n < least) {
      throw wrong(flag, text, `a whole number from ${least}`);
    }
    return n;
  };

export interface Range {
  readonly min?: number;
  readonly max?: number;
  /** Whether the bounds themselves are allowed; default yes. */
  readonly open?: boolean;
}

/** A number in a range. */
export const real =
  (
    flag: string,
    { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, open = false }: Range = {},
  ) =>
  (text: string): number => {
    const n = Number(text);
    const inside = open ? n > min && n < max : n >= min && n <= max;
    if (text.trim() === "" || !Number.isFinite(n) || !inside)
      throw wrong(flag, text, rangeText(min, max, open));
    return n;
  };

/** A number in a range, or a quotient of two: 4/3. */
export const fraction =
  (flag: string, range: Range = {}) =>
  (text: string): number => {
    const [, above, below] = /^\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(text) ?? [];
    const n = above === undefined ? text : `${Number(above) / Number(below)}`;
    try {
      return real(flag, range)(n);
    } catch (error) {
      if (!(error instanceof ScconvError)) throw error;
      throw wrong(flag, text, `${error.facts.need}, or a quotient such as 4/3`);
    }
  };

function rangeText(min: number, max: number, open: boolean): string {
  if (Number.isFinite(min) && Number.isFinite(max)) {
    return open ? `a number between ${min} and ${max}` : `a number from ${min} to ${max}`;
  }
  if (Number.isFinite(min)) return `a number ${open ? "above" : "from"} ${min}`;
  return Number.isFinite(max) ? `a number ${open ? "below" : "up to"} ${max}` : "a number";
}

/** Numbers between commas. */
export const numbers =
  (flag: string, possible: (n: number) => boolean, need: string) =>
  (text: string): readonly number[] => {
    const list =
      text.trim() === "" ? [] : text.split(",").map((n) => (n.trim() === "" ? Number.NaN : Number(n)));
    if (!list.every((n) => Number.isFinite(n) && possible(n))) throw wrong(flag, text, need);
    return list;
  };

/** One of a few words. */
export const oneOf =
  <T extends string>(flag: string, words: readonly T[]) =>
  (text: string): T => {
    const word = words.find((w) => w === text);
    if (word === undefined) throw wrong(flag, text, words.join(", "));
    return word;
  };

/** `count` seeds from the one that is given. */
export const firstSeeds =
  (count: number) =>
  (first: number): readonly number[] =>
    Array.from({ length: count }, (_, i) => first + i);

/** Seeds as a list, `0,1,2`, or as a number of them. */
export const seedList =
  (flag: string) =>
  (text: string): ((first: number) => readonly number[]) => {
    if (!text.includes(",")) return firstSeeds(whole(flag)(text));
    const seeds = text.split(",").map((seed) => whole(flag, 0)(seed));
    if (new Set(seeds).size < seeds.length) throw wrong(flag, text, "each seed once");
    return () => seeds;
  };
