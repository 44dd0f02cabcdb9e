import type { Batch, DataSet } from "./data-set.js";

/**
 * The same data with so many images an epoch at most: training images are others in each epoch, drawn from the whole split;
 * evaluation images are the same in each pass, in whatever order they are stored. Labels and positions stay those of the whole split.
 */
export function sampleOf(data: DataSet, limits: { readonly train: number; readonly test: number }): DataSet {
  const split = (name: "train" | "test") => {
    const whole = data[name];
    return whole && { ...whole, length: Math.min(whole.length, limits[name]) };
  };
  return {
    ...data,
    train: split("train"),
    test: split("test"),
    batches(name, options) {
      const limit = limits[name];
      if (limit >= (data[name]?.length ?? 0)) return data.batches(name, options);
      const order = name === "test" ? { shuffle: true, seed: 0, epoch: 0 } : {};
      const { batchSize, from = 0, dropLast } = options;
      const left = limit - from * batchSize;
      return firstOf(data.batches(name, { ...options, ...order }), Math.max(0, left), dropLast);
    },
    close: () => data.close(),
  };
}

async function* firstOf(batches: AsyncIterable<Batch>, images: number, dropLast = false) {
  let left = images;
  if (left === 0) return;
  for await (const batch of batches) {
    if (batch.count < left) yield batch;
    else {
      if (batch.count === left || !dropLast) yield shortened(batch, left);
      return;
    }
    left -= batch.count;
  }
}

const shortened = ({ index, count, images, labels, indices }: Batch, first: number): Batch => ({
  ...{ index, count: first },
  images: images.subarray(0, (images.length / count) * first),
  ...{ labels: labels.subarray(0, first), indices: indices.subarray(0, first) },
});
