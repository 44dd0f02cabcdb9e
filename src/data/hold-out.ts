import { Random } from "../base/random.js";
import type { StoredLabels } from "./stored-labels.js";

/** Which images are trained on, and which are kept for evaluation: positions, in order. */
export interface HeldOut {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/** A share of each class, drawn by `seed`: at least one image in all, where there are two. */
export function holdOut(labels: Int32Array, share: number, seed: number): HeldOut {
  const places = new Map<number, number[]>();
  labels.forEach((label, i) => {
    const known = places.get(label);
    if (known) known.push(i);
    else places.set(label, [i]);
  });
  const held = new Uint8Array(labels.length);
  for (const [label, of] of places) {
    const order = new Random(seed, label).permutation(of.length);
    for (const i of order.subarray(0, Math.round(of.length * share))) held[of[i]!] = 1;
  }
  if (labels.length > 1 && !held.includes(1)) held[new Random(seed).int(labels.length)] = 1;
  const part = (kind: number) => Uint32Array.from(labels.keys()).filter((i) => held[i] === kind);
  return { train: part(0), test: part(1) };
}

/** The labels at some positions, which ascend, with the places where files begin that have any of them. */
export function labelsOf({ labels, shards }: StoredLabels, at: Uint32Array): StoredLabels {
  const starts = shards?.map((start) => at.filter((i) => i < start).length);
  return {
    labels: Int32Array.from(at, (i) => labels[i]!),
    shards: starts?.filter((start, i) => start < (starts[i + 1] ?? at.length)),
  };
}
