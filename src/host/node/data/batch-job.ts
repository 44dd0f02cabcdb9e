import type { Augment, ImageShape } from "../../../data/data-set.js";
import type { DecodeFailure } from "./decode-image.js";
import type { Location } from "./sources.js";

/** The messages between the data set and its workers. */

/** What a worker knows of a split for its whole life. Shared memory, so that each image is decoded only once. */
export interface SharedSplit {
  /** (N, H, W, C), the batches' own shape; absent where the decoded split would not fit. */
  readonly cache: Uint8Array | undefined;
  /** (N): 1 once the image is in `cache`. */
  readonly ready: Uint8Array | undefined;
  /** Decoded images of another shape, to be converted at first touch. */
  readonly raw: { readonly pixels: Uint8Array; readonly shape: ImageShape } | undefined;
}

export interface WorkerData {
  readonly shape: ImageShape;
  /** Resize to this, else an image of another size is an error. */
  readonly size: number | undefined;
  /** Share of the image that the centre crop keeps; see `evaluationView`. */
  readonly crop: number | undefined;
  readonly splits: { readonly train: SharedSplit | undefined; readonly test: SharedSplit | undefined };
}

/** One image of a batch. */
export interface Located {
  /** Its place in the batch. */
  readonly at: number;
  readonly location: Location;
  /** The file itself, where it was read already; such an image is not kept. */
  readonly file?: Uint8Array<ArrayBuffer>;
}

export interface BatchJob {
  readonly split: "train" | "test";
  /** Positions in the split. */
  readonly indices: Uint32Array;
  /** Where the images lie that are not in the cache, by their place in the batch; or the files themselves. */
  readonly locations: readonly Located[];
  readonly augment: Augment | undefined;
  readonly seed: number;
  readonly epoch: number;
  /** (C × 256), of `normalizeTable`. */
  readonly table: Float32Array;
  /** Receives (count, C, H, W) floats; it travels to the worker and back, and is never copied. */
  readonly buffer: ArrayBuffer;
}

export type ToWorker =
  | { readonly kind: "batch"; readonly id: number; readonly job: BatchJob }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "close" };

export type FromWorker =
  | { readonly id: number; readonly buffer: ArrayBuffer }
  | ({ readonly id: number; readonly name: string } & DecodeFailure);
