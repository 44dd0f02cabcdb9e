import type { Trial } from "./choose-within.js";

/** What `slim` did, as data: `report.json` is this, and the page is made from it, but for its pictures of feature maps. */
export interface SlimReport {
  /** Of this form. */
  readonly version: 1;
  readonly command: string;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
  readonly seed: number;
  /** `host`: what it ran in, where that is not Node. */
  readonly software: {
    readonly scconv: string;
    readonly runtime: string;
    readonly node?: string;
    readonly host?: string;
  };
  /** Browsers do not tell. */
  readonly machine?: {
    readonly cpu: string;
    readonly cores: number;
    readonly instructions: readonly string[];
    readonly memoryBytes: number;
    readonly os: string;
  };
  readonly input: string;
  readonly output: string;
  readonly data: {
    readonly source: string;
    readonly trainImages: number;
    readonly testImages: number;
    readonly classes: number;
    readonly normalize: string;
  };
  /** Settings of the unit and the recipe, as they were used, in the order in which they are to be shown. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Before and after. MACs are of one image. */
  readonly parameters: Pair;
  readonly macs: Pair;
  readonly bytes: Pair;
  /** Per cent, on `data.testImages` images. */
  readonly top1: Pair;
  readonly latency?: {
    readonly batch: number;
    readonly threads: number;
    readonly provider: string;
    readonly runs: number;
    readonly models: readonly [Latency, Latency];
    /** After ÷ before: the median of the rounds' ratios. */
    readonly ratio: number;
    /** The original with the rewrites that the output has, too, and nothing swapped; its ratio is to the original. */
    readonly rewritten?: Latency & { readonly ratio: number };
  };
  readonly epochs: readonly EpochRow[];
  /** Whose weights were written, where it is not the best epoch's: a sentence. */
  readonly written?: string;
  /** Accuracy after the swap, before any fine-tuning. */
  readonly calibratedTop1?: number;
  readonly layers: readonly LayerRow[];
  /** How `--layers auto` chose. */
  readonly plan?: PlanReport | undefined;
  /** Absent where it could not be measured. */
  readonly redundancy?: RedundancyReport | undefined;
}

/** [before, after]. */
export type Pair = readonly [number, number];

export interface Latency {
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly peakRssMb: number;
}

export interface EpochRow {
  readonly epoch: number;
  readonly top1: number;
  readonly loss: number;
  readonly seconds: number;
}

/** A convolution of the original. */
export interface LayerRow {
  readonly name: string;
  readonly from: string;
  /** Absent: kept, and `reason` says why. */
  readonly to?: string;
  readonly reason?: string;
  readonly parameters: Pair;
  readonly macs: Pair;
  /** Relative error of the new unit's output against the convolution that it replaces, before and after calibration. */
  readonly error?: Pair;
}

/** What was timed for the choice of layers, in milliseconds. */
export interface PlanReport {
  readonly batch: number;
  /** Of the whole network as it was. */
  readonly totalMs: number;
  /** Time after ÷ before: by the sum of what layers save, and of the whole network, measured. */
  readonly predicted: number;
  readonly measured: number;
  readonly forms: readonly { readonly alpha: number; readonly scope: string }[];
  readonly layers: readonly {
    readonly name: string;
    /** The convolution with its surroundings. */
    readonly ms: number;
    /**
     * In the order of `forms`: what each saves there (below 0: loses), half the interval of that, and the error that it leaves.
     * Undefined (null in a file) where it does not fit.
     */
    readonly forms: readonly (
      | { readonly saving: number; readonly uncertainty: number; readonly error?: number | undefined }
      | undefined
    )[];
    /** Which form it got. */
    readonly chosen?: number | undefined;
  }[];
  /** Choices that were tried for the accuracy that they lose, where that has a bound. */
  readonly trials?: readonly Trial[] | undefined;
}

/** What swapped layers make of images, before and after; docs/features.md defines the figures. */
export interface RedundancyReport {
  /** So many of the evaluation split, drawn by the seed. */
  readonly images: number;
  readonly seconds: number;
  readonly layers: readonly {
    /** The convolution's, in the original. */
    readonly name: string;
    /** The normalisation and activation behind it, with which its maps were looked at. */
    readonly through: readonly string[];
    readonly before: MapFigures;
    readonly after: MapFigures;
  }[];
}

export interface MapFigures {
  readonly maps: number;
  /** Values of each map: pixels of all images. */
  readonly pixels: number;
  readonly dead: number;
  /** Cosines of pairs of maps: the median (null where no two maps vary), and the share of pairs from 0.9 on. */
  readonly similarity: { readonly median: number | null; readonly alike: number };
  readonly effectiveRank: number;
  /** 1 − effective rank ÷ maps. */
  readonly redundancy: number;
}

/** Wilson's 95 % interval of a proportion given in per cent over `n` trials (Wilson 1927). */
export function wilson(percent: number, n: number): readonly [number, number] {
  if (!(n > 0)) return [0, 100];
  const z = 1.959964;
  const p = percent / 100;
  const centre = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  return [Math.max(0, 100 * (centre - half)), Math.min(100, 100 * (centre + half))];
}
