import type { DecodedImage } from "../../../data/data-set.js";
import { holdOut, labelsOf } from "../../../data/hold-out.js";
import type { StoredLabels } from "../../../data/stored-labels.js";

/** One image: where it is encoded, or its pixels. */
export type Located = {
  /** For messages: `train-000.tar: 000017.jpg`. */
  readonly name: string;
} & ({ readonly blob: Blob } | { readonly image: DecodedImage });

/** A split as it is stored, before anything is decoded. */
export interface StoredSplit extends StoredLabels {
  locate(index: number): Located;
}

export interface Source {
  readonly classes: readonly string[];
  readonly train: StoredSplit | undefined;
  readonly test: StoredSplit | undefined;
}

/** Where there are no images for evaluation, a share of those for training is held out. */
export function withHeldOut(source: Source, share: number, seed: number): Source {
  const { classes, train, test } = source;
  if (!train || test) return source;
  const at = holdOut(train.labels, share, seed);
  if (at.test.length === 0) return source;
  const part = (which: Uint32Array): StoredSplit => ({
    ...labelsOf(train, which),
    locate: (index) => train.locate(which[index]!),
  });
  return { classes, train: part(at.train), test: part(at.test) };
}
