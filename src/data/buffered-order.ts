import type { Random } from "../base/random.js";
import type { Split } from "./data-set.js";

export interface BufferedOrder {
  /** Positions in the order in which they are read: shard by shard, each from front to back. */
  readonly reading: Uint32Array;
  /** Positions in the order of delivery. */
  readonly order: Uint32Array;
}

/**
 * Shuffling of what is read from front to back, as WebDataset does it: shards in drawn order, and a buffer of which a
 * drawn image leaves for every one that comes in. The order is known before anything is read, so an epoch that was
 * left in the middle goes on with the very same images.
 */
export function bufferedOrder(
  { length, shards = [0] }: Pick<Split, "length" | "shards">,
  buffer: number,
  random: Random,
): BufferedOrder {
  const reading = new Uint32Array(length);
  let at = 0;
  for (const shard of random.permutation(shards.length)) {
    const end = shards[shard + 1] ?? length;
    for (let i = shards[shard]!; i < end; i++) reading[at++] = i;
  }
  const held = reading.slice(0, buffer);
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const left = Math.min(held.length, length - i);
    const slot = random.int(left);
    order[i] = held[slot]!;
    const next = i + held.length;
    held[slot] = next < length ? reading[next]! : held[left - 1]!;
  }
  return { reading, order };
}
