import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import type { Moments } from "./moments.js";

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
  const sorted = Float64Array.from(pairs, (p) => p.similarity).sort();
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
      pairs: pairs.length,
      median: medianOf(sorted),
      alike: pairs.length === 0 ? 0 : pairs.filter((p) => p.similarity >= ALIKE).length / pairs.length,
      histogram,
    },
    effectiveRank: rank,
    redundancy: 1 - rank / maps,
    mostAlike: disjoint(pairs, marked),
    deadMaps,
  };
}

function pairsOf({ maps, products, constant }: Moments): Pair[] {
  const pairs: Pair[] = [];
  for (let i = 0; i < maps; i++) {
    if (constant[i]) continue;
    for (let j = 0; j < i; j++) {
      if (constant[j]) continue;
      const norm = Math.sqrt(products[i * maps + i]! * products[j * maps + j]!);
      const similarity = Math.max(-1, Math.min(1, products[i * maps + j]! / norm));
      pairs.push({ maps: [j, i], similarity });
    }
  }
  return pairs;
}

function medianOf(sorted: Float64Array): number | undefined {
  const n = sorted.length;
  return n === 0 ? undefined : (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
}

function disjoint(pairs: readonly Pair[], most: number): Pair[] {
  const taken = new Set<number>();
  const chosen: Pair[] = [];
  for (const pair of pairs.filter((p) => p.similarity >= ALIKE).sort((a, b) => b.similarity - a.similarity)) {
    if (chosen.length === most) break;
    if (pair.maps.some((m) => taken.has(m))) continue;
    for (const m of pair.maps) taken.add(m);
    chosen.push(pair);
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
function eigenvalues({ maps, count, products, constant, samples }: Moments): readonly number[] {
  if (constant.every(Boolean)) return [];
  if (!samples) return symmetricEigenvalues(maps, (i, j) => products[i * maps + j]!);
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
  return symmetricEigenvalues(count, (i, j) => {
    let dot = 0;
    for (let c = 0; c < maps; c++) dot += columns[i]![c]! * columns[j]![c]!;
    return dot;
  });
}

/** `at(i, j)` for j ≤ i. */
function symmetricEigenvalues(size: number, at: (i: number, j: number) => number): readonly number[] {
  const m = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const v = at(i, j);
      m.set(i, j, v);
      m.set(j, i, v);
    }
  const values = new EigenvalueDecomposition(m, { assumeSymmetric: true }).realEigenvalues;
  // What lies below the largest by all digits of a double is rounding.
  const least = values.reduce((a, b) => Math.max(a, b), 0) * size * Number.EPSILON;
  return values.filter((v) => v > least);
}
