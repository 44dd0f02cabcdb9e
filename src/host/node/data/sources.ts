import type { ImageShape } from "../../../data/data-set.js";
import type { StoredLabels } from "../../../data/stored-labels.js";

/** Where the bytes of one encoded image are. */
export interface Location {
  readonly path: string;
  /** In bytes, with `length`; the whole file where absent. */
  readonly offset?: number;
  readonly length?: number;
  /** For messages: `train-000.tar: 000017.jpg`. */
  readonly name: string;
}

/** A split as it is stored, before anything is decoded. */
export type StoredSplit = StoredLabels &
  (
    | { readonly kind: "encoded"; locate(index: number): Location }
    /** `pixels`: (N, H, W, C) bytes in shared memory. */
    | { readonly kind: "raw"; readonly pixels: Uint8Array; readonly shape: ImageShape }
  );

export interface Source {
  readonly classes: readonly string[];
  readonly train: StoredSplit | undefined;
  readonly test: StoredSplit | undefined;
}

/** Progress of a long step before the first batch: `done` of `total` units. */
export type OnProgress = (progress: { what: string; done: number; total: number }) => void;

/** Bytes that workers can see. */
export const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
