import { ScconvError } from "../base/errors.js";
import { Random } from "../base/random.js";
import { bufferedOrder } from "./buffered-order.js";
import type { BatchOptions, DataSet, Split } from "./data-set.js";

/** One pass over a split, cut into batches. */
export interface Epoch {
  readonly split: Split;
  /** Batches in the whole epoch. */
  readonly batches: number;
  /** First batch to deliver. */
  readonly from: number;
  /** Positions in the split of batch `b`; the last one may be shorter. */
  indices(b: number): Uint32Array;
  /** With a buffer: the order in which images are read. */
  readonly reading: Uint32Array | undefined;
}

/** Throws `bad-setting` for options that cannot be and `bad-input` for a split that the data set lacks. */
export function planEpoch(data: DataSet, name: "train" | "test", options: BatchOptions): Epoch {
  const { batchSize, shuffle = false, seed = 0, epoch = 0, dropLast = false, from = 0, augment } = options;
  whole("batch size", batchSize, 1);
  whole("first batch", from, 0);
  if (augment) {
    whole("padding", augment.pad, 0);
    const { hue = 0, ...factors } = augment.jitter ?? {};
    for (const [what, x] of Object.entries({ ...factors, hue })) {
      if (!(x >= 0 && (what !== "hue" || x <= 0.5))) {
        throw new ScconvError("bad-setting", `jitter of the ${what} is not possible`, {
          got: `${x}`,
          need: what === "hue" ? "a number from 0 to 0.5" : "a number from 0",
        });
      }
    }
  }
  const split = data[name];
  if (!split) {
    throw new ScconvError("bad-input", `there is no ${name === "train" ? "training" : "evaluation"} split`, {
      where: data.source,
    });
  }
  const { length } = split;
  if (typeof shuffle === "object") whole("shuffle buffer", shuffle.buffer, 1);
  const random = new Random(seed, epoch);
  const buffered = typeof shuffle === "object" ? bufferedOrder(split, shuffle.buffer, random) : undefined;
  const order =
    buffered?.order ?? (shuffle ? random.permutation(length) : Uint32Array.from({ length }, (_, i) => i));
  const batches = dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
  const indices = (b: number) => order.slice(b * batchSize, (b + 1) * batchSize);
  return { split, batches, from, indices, reading: buffered?.reading };
}

/** The labels of these positions. */
export const labelsAt = ({ labels }: Split, indices: Uint32Array): Int32Array =>
  Int32Array.from(indices, (i) => labels[i]!);

/** Throws `interrupted` once the signal was given. */
export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new ScconvError("interrupted", "reading of the data was stopped", { cause: signal.reason });
  }
}

function whole(what: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ScconvError("bad-setting", `${what} is not possible`, {
      got: `${value}`,
      need: `a whole number from ${least}`,
    });
  }
}
