import type { Split } from "./data-set.js";

/** What every host knows of a split before anything is decoded. */
export interface StoredLabels {
  /** (N), class indices. */
  readonly labels: Int32Array;
  /** Positions at which files begin that hold many images each. */
  readonly shards?: readonly number[] | undefined;
}

/** The split as a data set shows it. */
export const splitOf = (name: Split["name"], stored: StoredLabels | undefined): Split | undefined =>
  stored && { name, length: stored.labels.length, labels: stored.labels, shards: stored.shards };

/** Its first `limit` images. */
export function firstOf<T extends StoredLabels>(split: T | undefined, limit: number): T | undefined {
  if (!split) return undefined;
  const labels = split.labels.slice(0, Math.min(limit, split.labels.length));
  return { ...split, labels, shards: split.shards?.filter((start) => start < labels.length) };
}
