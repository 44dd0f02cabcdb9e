import { describe, expect, it } from "vitest";
import type { BatchOptions, DataSet } from "../../src/data/data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import { imagenetCrop } from "../../src/data/resized-crop.js";

/**
 * What every data set keeps to. `make` gives 11 training and 5 evaluation images of any small shape; `resizes`: it can
 * take random parts of them.
 */
export function dataSetCases(name: string, make: () => Promise<DataSet>, { resizes = true } = {}): void {
  const augmented = {
    normalize: normalizations.none,
    augment: { pad: 2, flip: true },
    shuffle: true,
    seed: 7,
  };

  const withData = async <T>(use: (data: DataSet) => Promise<T>): Promise<T> => {
    const data = await make();
    try {
      return await use(data);
    } finally {
      await data.close();
    }
  };

  /** Every image of the pass, by position in the split, with the order of delivery. */
  async function pass(data: DataSet, options: BatchOptions) {
    const images = new Map<number, number[]>();
    const order: number[] = [];
    const sizes: number[] = [];
    const batches: number[] = [];
    for await (const batch of data.batches("train", options)) {
      expect(batch.images.length).toBe(batch.count * data.channels * data.height * data.width);
      sizes.push(batch.count);
      batches.push(batch.index);
      const floats = batch.images.length / batch.count;
      batch.indices.forEach((index, i) => {
        expect(batch.labels[i]).toBe(data.train!.labels[index]);
        images.set(index, [...batch.images.subarray(i * floats, (i + 1) * floats)]);
        order.push(index);
      });
    }
    return { images, order, sizes, batches };
  }

  describe(name, () => {
    it("gives every image once, in order without shuffling", () =>
      withData(async (data) => {
        const { order, sizes } = await pass(data, { batchSize: 4, normalize: normalizations.none });
        expect(order).toEqual(Array.from({ length: 11 }, (_, i) => i));
        expect(sizes).toEqual([4, 4, 3]);
        expect(data.test).toMatchObject({ name: "test", length: 5 });
      }));

    it("is a function of seed, epoch and position, whatever the batch size", () =>
      withData(async (data) => {
        const a = await pass(data, { ...augmented, batchSize: 4, epoch: 1 });
        const b = await pass(data, { ...augmented, batchSize: 3, epoch: 1 });
        expect(b.order).toEqual(a.order);
        expect(b.images).toEqual(a.images);
        const other = await pass(data, { ...augmented, batchSize: 4, epoch: 2 });
        expect(other.order).not.toEqual(a.order);
        expect(other.images).not.toEqual(a.images);
        const seed = await pass(data, { ...augmented, batchSize: 4, epoch: 1, seed: 8 });
        expect(seed.order).not.toEqual(a.order);
      }));

    const jitter = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 };
    const ways = [
      { way: "changed colours", augment: { pad: 0, flip: true, jitter } },
      { way: "random parts", augment: { pad: 0, flip: true, jitter, resizedCrop: imagenetCrop } },
    ];
    it.each(resizes ? ways : ways.slice(0, 1))("draws $way alike in every pass", ({ augment }) =>
      withData(async (data) => {
        const options = { ...augmented, augment, batchSize: 4, epoch: 1 };
        const a = await pass(data, options);
        const b = await pass(data, { ...options, batchSize: 3, from: 1 });
        for (const [index, image] of b.images) expect(image).toEqual(a.images.get(index));
        const other = await pass(data, { ...options, epoch: 2 });
        const plain = await pass(data, { ...options, augment: { pad: 0, flip: false } });
        for (const [index, image] of a.images) {
          expect(image).not.toEqual(other.images.get(index));
          expect(image).not.toEqual(plain.images.get(index));
        }
      }),
    );

    if (!resizes) {
      it("refuses random parts, which it cannot resize", () =>
        withData(async (data) => {
          const augment = { pad: 0, flip: false, resizedCrop: imagenetCrop };
          expect(() => data.batches("train", { ...augmented, augment, batchSize: 4 })).toThrowError(
            /images in memory are not resized/,
          );
        }));

      it("resumes in the middle of an epoch", () =>
        withData(async (data) => {
          const all = await pass(data, { ...augmented, batchSize: 4 });
          const rest = await pass(data, { ...augmented, batchSize: 4, from: 2 });
          expect(rest.batches).toEqual([2]);
          expect(rest.order).toEqual(all.order.slice(8));
          for (const [index, image] of rest.images) expect(image).toEqual(all.images.get(index));
          expect((await pass(data, { ...augmented, batchSize: 4, from: 3 })).order).toEqual([]);
        }));
    }

    it("shuffles within a buffer: the same images in another order, and the same rest of an epoch", () =>
      withData(async (data) => {
        const options = { ...augmented, shuffle: { buffer: 3 }, batchSize: 4, epoch: 1 };
        const whole = await pass(data, { ...augmented, batchSize: 4, epoch: 1 });
        const all = await pass(data, options);
        expect(all.images).toEqual(whole.images);
        expect(all.order).not.toEqual(whole.order);
        for (const from of [1, 2]) {
          const rest = await pass(data, { ...options, from });
          expect(rest.order).toEqual(all.order.slice(4 * from));
          for (const [index, image] of rest.images) expect(image).toEqual(all.images.get(index));
        }
        expect((await pass(data, { ...options, epoch: 2 })).order).not.toEqual(all.order);
        for await (const _ of data.batches("train", options)) break;
      }));

    it("drops an incomplete last batch only where asked", () =>
      withData(async (data) => {
        expect((await pass(data, { ...augmented, batchSize: 4, dropLast: true })).sizes).toEqual([4, 4]);
        expect((await pass(data, { ...augmented, batchSize: 20 })).sizes).toEqual([11]);
      }));

    it("can be left early and read again", () =>
      withData(async (data) => {
        for await (const batch of data.batches("train", { ...augmented, batchSize: 1 })) {
          if (batch.index === 1) break;
        }
        expect((await pass(data, { ...augmented, batchSize: 4 })).order).toHaveLength(11);
      }));

    it("lets two passes run side by side", () =>
      withData(async (data) => {
        const one = pass(data, { ...augmented, batchSize: 2 });
        const two = pass(data, { ...augmented, batchSize: 3 });
        expect((await one).images).toEqual((await two).images);
      }));

    it("stops at a signal", () =>
      withData(async (data) => {
        const stop = new AbortController();
        const reading = (async () => {
          for await (const _ of data.batches("train", { ...augmented, batchSize: 2, signal: stop.signal })) {
            stop.abort();
          }
        })();
        await expect(reading).rejects.toMatchObject({ code: "interrupted" });
      }));

    it("refuses options that cannot be", () =>
      withData(async (data) => {
        const batches = (options: Partial<BatchOptions>) =>
          data.batches("train", { batchSize: 4, normalize: normalizations.none, ...options });
        expect(() => batches({ batchSize: 0 })).toThrowError(/batch size is not possible/);
        expect(() => batches({ batchSize: 1.5 })).toThrowError(/batch size/);
        expect(() => batches({ shuffle: { buffer: 0 } })).toThrowError(/shuffle buffer/);
        expect(() => batches({ from: -1 })).toThrowError(/first batch/);
        expect(() => batches({ augment: { pad: -1, flip: false } })).toThrowError(/padding/);
        expect(() =>
          batches({ augment: { pad: 0, flip: false, jitter: { ...jitter, hue: 0.6 } } }),
        ).toThrowError(/jitter of the hue/);
      }));
  });
}
