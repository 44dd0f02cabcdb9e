import { expect, it } from "vitest";
import type { BatchOptions, DataSet } from "../../src/data/data-set.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import { sampleOf } from "../../src/data/sample.js";

const some = (count: number) => ({
  images: Uint8Array.from({ length: count * 4 }, (_, i) => i >> 2),
  labels: Array.from({ length: count }, (_, i) => i),
});
const shape = { height: 2, width: 2, channels: 1 as const, classes: ["all"] };
const whole = memoryDataSet({ ...some(20), ...shape }, { test: some(10) });

async function pass(data: DataSet, split: "train" | "test", options: Partial<BatchOptions> = {}) {
  const seen: number[] = [];
  for await (const batch of data.batches(split, {
    ...{ batchSize: 4, normalize: normalizations.none },
    ...options,
  })) {
    expect(batch.images.length).toBe(batch.count * 4);
    // Each image has its number as its pixels, and as its label.
    batch.indices.forEach((index, i) => {
      expect([batch.labels[i], Math.round(batch.images[i * 4]! * 255)]).toEqual([index, index]);
      seen.push(index);
    });
  }
  return seen;
}

it("is as long as it may be, and no longer than what there is", async () => {
  const { train, test } = sampleOf(whole, { train: 6, test: 100 });
  expect([train!.length, test!.length]).toEqual([6, 10]);
  expect(await pass(sampleOf(whole, { train: 6, test: 100 }), "train")).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await pass(sampleOf(whole, { train: 6, test: 0 }), "train", { dropLast: true })).toEqual([
    0, 1, 2, 3,
  ]);
  expect(await pass(sampleOf(whole, { train: 8, test: 0 }), "train", { dropLast: true, from: 1 })).toEqual([
    4, 5, 6, 7,
  ]);
});

it("draws training images from the whole split, others in each epoch", async () => {
  const sample = sampleOf(whole, { train: 6, test: 5 });
  const [first, second] = [
    await pass(sample, "train", { shuffle: true, seed: 1, epoch: 0 }),
    await pass(sample, "train", { shuffle: true, seed: 1, epoch: 1 }),
  ];
  expect(new Set([...first, ...second]).size).toBeGreaterThan(6);
  expect(await pass(sample, "train", { shuffle: true, seed: 1, epoch: 0 })).toEqual(first);
});

it("has the same evaluation images in each pass, from everywhere", async () => {
  const sample = sampleOf(whole, { train: 6, test: 5 });
  const images = await pass(sample, "test");
  expect(images).toHaveLength(5);
  expect(images).not.toEqual([0, 1, 2, 3, 4]);
  expect(await pass(sample, "test", { batchSize: 5 })).toEqual(images);
});
