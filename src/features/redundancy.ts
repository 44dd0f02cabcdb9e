import type { Moments } from "./moments.js";
import { symmetricEigenvalues } from "./symmetric-eigenvalues.js";

/** Of the layer's largest magnitude: a map that nowhere exceeds it is dead. */
export const DEAD = 1e-6;
/** A pair of maps from this cosine on is alike. */
export const ALIKE = 0.9;
const BINS = 20;

export interface Pair {
  readonly maps: readonly [number, number];
  /** Cosine of the centred maps, −1 … 1. */
  readonly similarity: number;
}

/** How much of a layer's maps repeats, or says nothing; docs/features.md defines each figure and names its source. */
export interface Redundancy {
  readonly maps: number;
  /** Values of each map: pixels of all images. The effective rank is less than it. */
  readonly pixels: number;
  /** Maps without a value above 1e-6 of the layer's largest magnitude, on any image. */
  readonly dead: number;
  /** Maps with one value everywhere (the dead among them): they have no cosine with others. */
  readonly constant: number;
  /** Share of values that are exactly 0. */
  readonly zeros: number;
  readonly similarity: {
    /** Of maps that are not constant. */
    readonly pairs: number;
    /** NaN-free: undefined where there is no pair. */
    readonly median: number | undefined;
    /** Share of pairs at 0.9 and above. */
    readonly alike: number;
    /** Pairs in 20 equal bins from −1 to 1. */
    readonly histogram: readonly number[];
  };
  /** exp of the entropy of the covariance's normalised eigenvalues (Roy & Vetterli 2007); 0 where no map varies. */
  readonly effectiveRank: number;
  /** 1 − effective rank ÷ maps. */
  readonly redundancy: number;
  /** The most alike pairs, each map in one at most, from 0.9 on. */
  readonly mostAlike: readonly Pair[];
  /** Indices of dead maps. */
  readonly deadMaps: readonly number[];
}

export function redundancyOf(moments: Moments, { marked = 8 }: { marked?: number } = {}): Redundancy {
  const { maps, count, peak, constant, zeros } = moments;
  const largest = peak.reduce((a, b) => Math.max(a, b), 0);
  const deadMaps = Array.from(peak.keys()).filter((c) => peak[c]! <= DEAD * largest);
  const pairs = pairsOf(moments);
  const sorted = pairs.similarity.slice().sort();
  const histogram = new Array<number>(BINS).fill(0);
  for (const s of sorted) histogram[Math.min(BINS - 1, Math.floor(((s + 1) / 2) * BINS))]!++;
  const rank = effectiveRank(eigenvalues(moments));
  return {
    maps,
    pixels: count,
    dead: deadMaps.length,
    constant: constant.filter(Boolean).length,
    zeros: count === 0 ? 0 : zeros / (maps * count),
    similarity: {
      pairs: sorted.length,
      median: medianOf(sorted),
      alike: sorted.length === 0 ? 0 : sorted.filter((s) => s >= ALIKE).length / sorted.length,
      histogram,
    },
    effectiveRank: rank,
    redundancy: 1 - rank / maps,
    mostAlike: disjoint(pairs, marked),
    deadMaps,
  };
}

/** Of maps that are not constant, in flat arrays: 2048 maps have two million pairs. */
interface Pairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly similarity: Float64Array;
}

function pairsOf({ maps, products, constant }: Moments): Pairs {
  const alive = Int32Array.from(constant.keys()).filter((c) => !constant[c]);
  const count = (alive.length * (alive.length - 1)) / 2;
  const pairs = {
    ...{ first: new Int32Array(count), second: new Int32Array(count) },
    similarity: new Float64Array(count),
  };
  let k = 0;
  for (const [at, i] of alive.entries()) {
    for (const j of alive.subarray(0, at)) {
      const norm = Math.sqrt(products[i * maps + i]! * products[j * maps + j]!);
      pairs.first[k] = j;
      pairs.second[k] = i;
      pairs.similarity[k++] = Math.max(-1, Math.min(1, products[i * maps + j]! / norm));
    }
  }
  return pairs;
}

function medianOf(sorted: Float64Array): number | undefined {
  const n = sorted.length;
  return n === 0 ? undefined : (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
}

function disjoint({ first, second, similarity }: Pairs, most: number): Pair[] {
  const taken = new Set<number>();
  const chosen: Pair[] = [];
  const alike = Int32Array.from(similarity.keys()).filter((k) => similarity[k]! >= ALIKE);
  for (const k of alike.sort((a, b) => similarity[b]! - similarity[a]! || a - b)) {
    if (chosen.length === most) break;
    const maps = [first[k]!, second[k]!] as const;
    if (maps.some((m) => taken.has(m))) continue;
    for (const m of maps) taken.add(m);
    chosen.push({ maps, similarity: similarity[k]! });
  }
  return chosen;
}

/** exp(−Σ p ln p) with p = λ/Σλ: 1 where one direction holds everything, n where n directions hold the same. */
export function effectiveRank(values: ArrayLike<number>): number {
  const positive = Array.from(values).filter((v) => v > 0);
  const sum = positive.reduce((a, b) => a + b, 0);
  if (sum === 0) return 0;
  return Math.exp(-positive.reduce((h, v) => h + (v / sum) * Math.log(v / sum), 0));
}

/**
 * Of the channels' covariance, but for its divisor. With fewer pixels n than channels the n×n matrix XᵀX has the same ones
 * but for zeros, and takes (n/C)³ of the time.
 */
function eigenvalues({ maps, count, products, constant, samples }: Moments): ArrayLike<number> {
  if (constant.every(Boolean)) return [];
  if (!samples) return eigenvaluesOf(maps, products.slice());
  const columns: Float64Array[] = [];
  for (const image of samples) {
    const pixels = image.length / maps;
    for (let p = 0; p < pixels; p++)
      columns.push(Float64Array.from({ length: maps }, (_, c) => image[c * pixels + p]!));
  }
  for (let c = 0; c < maps; c++) {
    const mean = columns.reduce((sum, column) => sum + column[c]!, 0) / count;
    for (const column of columns) column[c]! -= mean;
  }
  const gram = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let dot = 0;
      for (let c = 0; c < maps; c++) dot += columns[i]![c]! * columns[j]![c]!;
      gram[i * count + j] = dot;
    }
  }
  return eigenvaluesOf(count, gram);
}

/** Overwrites the matrix. */
function eigenvaluesOf(size: number, products: Float64Array): Float64Array {
  const values = symmetricEigenvalues(products, size);
  // What lies below the largest by all digits of a double is rounding.
  const least = values.reduce((a, b) => Math.max(a, b), 0) * size * Number.EPSILON;
  return values.filter((v) => v > least);
}
