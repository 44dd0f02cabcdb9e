import type { StoredLabels } from "../../../data/stored-labels.js";

/** Where one encoded image is. */
export interface Located {
  readonly blob: Blob;
  /** For messages: `train-000.tar: 000017.jpg`. */
  readonly name: string;
}

/** A split as it is stored, before anything is decoded. */
export interface StoredSplit extends StoredLabels {
  locate(index: number): Located;
}

export interface Source {
  readonly classes: readonly string[];
  readonly train: StoredSplit | undefined;
  readonly test: StoredSplit | undefined;
}
