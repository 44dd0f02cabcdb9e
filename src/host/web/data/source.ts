/** Where one encoded image is. */
export interface Located {
  readonly blob: Blob;
  /** For messages: `train-000.tar: 000017.jpg`. */
  readonly name: string;
}

/** A split as it is stored, before anything is decoded. */
export interface StoredSplit {
  /** (N), class indices. */
  readonly labels: Int32Array;
  /** Positions at which files begin that hold many images each. */
  readonly shards?: readonly number[] | undefined;
  locate(index: number): Located;
}

export interface Source {
  readonly classes: readonly string[];
  readonly train: StoredSplit | undefined;
  readonly test: StoredSplit | undefined;
}
