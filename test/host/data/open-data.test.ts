import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { normalizations } from "../../../src/data/normalize.js";
import { imagenetCrop } from "../../../src/data/resized-crop.js";
import { openData } from "../../../src/host/node/data/open-data.js";
import { cifarFile } from "../../data/cifar-file.js";
import { jpeg, pixelsOf, png, tempFolder, writeAll } from "./fixtures.js";

const root = await tempFolder();
let folders = 0;
async function folderOf(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = join(root, `${folders++}`);
  await mkdir(folder);
  await writeAll(folder, files);
  return folder;
}

async function firstBatch(folder: string, options: Parameters<typeof openData>[1] = {}) {
  const data = await openData(folder, options);
  try {
    for await (const batch of data.batches("train", { batchSize: 100, normalize: normalizations.none })) {
      return { data, labels: [...batch.labels], bytes: Array.from(batch.images, (v) => Math.round(v * 255)) };
    }
    throw new Error("no batch");
  } finally {
    await data.close();
  }
}

describe("openData", () => {
  it("says what it looked for, and where", async () => {
    await expect(openData(join(root, "nowhere"))).rejects.toMatchObject({ code: "not-found" });
    await expect(openData("fashion-mnst")).rejects.toThrowError(
      /fashion-mnst: no such data, need a folder, or the name/,
    );
    await expect(openData(await folderOf({}))).rejects.toThrowError(
      /the folder is empty, need one of: train-\*\.tar/,
    );
    const other = await folderOf({ "notes.md": "hello" });
    await expect(openData(other)).rejects.toThrowError(
      /no data set found here, need one of: .*image folder\), got notes.md/,
    );
    await expect(openData(join(other, "notes.md"))).rejects.toThrowError(/data is not a folder/);
    await expect(openData(other, { size: 0 })).rejects.toMatchObject({ code: "usage" });
    await expect(openData(other, { limit: 1.5 })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("image folder", () => {
  it("numbers classes by name and takes images from each in turn", async () => {
    const folder = await folderOf({
      "train/dog/10.png": await png(3),
      "train/dog/9.png": await png(2),
      "train/cat/a.png": await png(1),
      "train/cat/.hidden.png": "",
      "train/cat/notes.txt": "",
      "val/dog/a.png": await png(0),
      "train/README": "",
    });
    await symlink(join(folder, "train/cat/a.png"), join(folder, "train/cat/b.png"));
    const { data, labels, bytes } = await firstBatch(folder);
    expect(data).toMatchObject({ classes: ["cat", "dog"], channels: 3, height: 5, width: 6 });
    expect(labels).toEqual([0, 1, 0, 1]);
    const firsts = [0, 1, 2, 3].map((i) => bytes[i * 90]);
    expect(firsts).toEqual([1, 2, 1, 3].map((k) => pixelsOf(k)[0]));
    expect([...data.test!.labels]).toEqual([1]);
  });

  it("takes images of all sizes: random parts for training, the centre for evaluation", async () => {
    const halves = (width: number, height: number) =>
      sharp(
        Uint8Array.from({ length: width * height * 3 }, (_, i) =>
          Math.floor(i / 3) % width < width / 2 ? 0 : 255,
        ),
        { raw: { width, height, channels: 3 } },
      )
        .jpeg({ quality: 95 })
        .toBuffer();
    const files = {
      "a.jpg": await halves(96, 40),
      "b.jpg": await halves(40, 96),
      "c.jpg": await halves(64, 64),
    };
    const folder = await folderOf(
      Object.fromEntries(
        Object.entries(files).flatMap(([name, f]) => [
          [`train/x/${name}`, f],
          [`val/x/${name}`, f],
        ]),
      ),
    );
    const data = await openData(folder, { size: 16, crop: 0.5 });
    const means = async (split: "train" | "test", options: object) => {
      for await (const { images, count } of data.batches(split, {
        ...{ batchSize: 3, normalize: normalizations.none, ...options },
      })) {
        expect(images.length).toBe(3 * 3 * 16 * 16);
        const size = images.length / count;
        return [0, 1, 2].map(
          (i) => images.subarray(i * size, (i + 1) * size).reduce((a, v) => a + v, 0) / size,
        );
      }
      return [];
    };
    try {
      const augment = { pad: 0, flip: false, resizedCrop: imagenetCrop };
      const epochs = await Promise.all([0, 1, 2, 3].map((epoch) => means("train", { augment, epoch })));
      // Parts of two halves: seldom half of each.
      for (const i of [0, 1, 2]) expect(new Set(epochs.map((e) => e[i]!.toFixed(3))).size).toBeGreaterThan(2);
      for (const mean of await means("test", {})) expect(mean).toBeCloseTo(0.5, 1);
      // Training left nothing of its own in what evaluation reads.
      for (const mean of await means("train", {})) expect(mean).toBeCloseTo(0.5, 1);
    } finally {
      await data.close();
    }
    await expect(openData(folder, { size: 16, crop: 1.5 })).rejects.toMatchObject({ code: "usage" });
  });

  it("refuses empty classes, empty splits and classes of one split only", async () => {
    const image = await png(0);
    const noImage = await folderOf({ "train/cat/a.png": image, "train/dog/a.bmp": "" });
    await expect(openData(noImage)).rejects.toThrowError(/train\/dog: class folder has no image/);
    await expect(openData(await folderOf({ "train/a.png": image }))).rejects.toThrowError(
      /split has no class folder/,
    );
    const odd = await folderOf({ "train/cat/a.png": image, "test/dog/a.png": image });
    await expect(openData(odd)).rejects.toThrowError(
      /the two splits disagree.*got class "dog" in test that train/,
    );
  });

  it("names the image that has another size, and resizes where asked", async () => {
    const folder = await folderOf({ "train/a/0.png": await png(0), "train/a/1.png": await png(1, 9, 9) });
    await expect(openData(folder)).rejects.toThrowError(/1.png: images differ in size.*\(give --size N\)/);
    const { data, bytes } = await firstBatch(folder, { size: 8 });
    expect([data.height, data.width, bytes.length]).toEqual([8, 8, 2 * 3 * 64]);
  });

  it("names an odd size that the first look missed", async () => {
    const files: Record<string, Uint8Array> = {};
    for (let k = 0; k < 40; k++) files[`train/a/${k}.jpg`] = await jpeg(k, k === 13 ? 31 : 32, 32);
    await expect(firstBatch(await folderOf(files))).rejects.toThrowError(
      /13.jpg: images differ in size.*got 31×32/,
    );
  });
});

describe("CIFAR's binary files", () => {
  it("reads both kinds", async () => {
    const folder = await folderOf({
      "data_batch_1.bin": cifarFile([[3], [9]]),
      "data_batch_2.bin": cifarFile([[1]]),
      "test_batch.bin": cifarFile([[0]]),
    });
    const { data, labels, bytes } = await firstBatch(folder);
    expect(data).toMatchObject({ channels: 3, height: 32, width: 32, test: { length: 1 } });
    expect(data.classes[9]).toBe("truck");
    expect(labels).toEqual([3, 9, 1]);
    expect([bytes[0], bytes[1024], bytes[2048], bytes[3072]]).toEqual([0, 50, 100, 1]);
    const hundred = await firstBatch(
      await folderOf({ "train.bin": cifarFile([[1, 77]]), "test.bin": cifarFile([[1, 5]]) }),
    );
    expect(hundred.data.classes).toHaveLength(100);
    expect(hundred.labels).toEqual([77]);
    expect(hundred.bytes.slice(0, 2)).toEqual([0, 1]);
    const fine = Array.from({ length: 100 }, (_, i) => `fine ${i}`);
    const named = await folderOf({
      ...{ "train.bin": cifarFile([[1, 77]]), "test.bin": cifarFile([[1, 5]]) },
      ...{ "fine_label_names.txt": `${fine.join("\n")}\n`, "coarse_label_names.txt": "a\nb\n" },
    });
    expect((await firstBatch(named)).data.classes).toEqual(fine);
  });

  it("resizes and greys decoded pixels too, and takes the first few", async () => {
    const folder = await folderOf({ "data_batch_1.bin": cifarFile([[3], [9]]) });
    const { data, labels, bytes } = await firstBatch(folder, { size: 8, channels: 1, limit: 1 });
    expect(data).toMatchObject({ channels: 1, height: 8, width: 8 });
    expect(labels).toEqual([3]);
    expect(bytes).toHaveLength(64);
  });

  it("refuses a truncated file", async () => {
    const folder = await folderOf({ "data_batch_1.bin": cifarFile([[3], [9]]).subarray(0, 5000) });
    await expect(openData(folder)).rejects.toThrowError(
      /data_batch_1.bin: not a whole number of cifar-10 records/,
    );
  });
});

describe("IDX files", () => {
  const images = (n: number) =>
    Uint8Array.from([
      0,
      0,
      8,
      3,
      0,
      0,
      0,
      n,
      0,
      0,
      0,
      2,
      0,
      0,
      0,
      2,
      ...Array.from({ length: n * 4 }, (_, i) => i),
    ]);
  const labels = (...l: number[]) => Uint8Array.from([0, 0, 8, 1, 0, 0, 0, l.length, ...l]);

  it("reads plain and gzipped files", async () => {
    const folder = await folderOf({
      "train-images-idx3-ubyte.gz": gzipSync(images(2)),
      "train-labels-idx1-ubyte.gz": gzipSync(labels(1, 0)),
      "t10k-images-idx3-ubyte": images(1),
      "t10k-labels-idx1-ubyte": labels(1),
    });
    const read = await firstBatch(folder);
    expect(read.data).toMatchObject({
      channels: 1,
      height: 2,
      width: 2,
      classes: ["0", "1"],
      test: { length: 1 },
    });
    expect(read.labels).toEqual([1, 0]);
    expect(read.bytes).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect((await firstBatch(folder, { channels: 3 })).bytes.slice(0, 8)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
  });

  it("says which label file is missing, and which gzip file is damaged", async () => {
    const folder = await folderOf({ "train-images-idx3-ubyte": images(2) });
    await expect(openData(folder)).rejects.toThrowError(
      /label file is missing, need train-labels-idx1-ubyte/,
    );
    await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), gzipSync(labels(1, 0)).subarray(0, 20));
    await expect(openData(folder)).rejects.toThrowError(
      /train-labels-idx1-ubyte.gz: gzip file cannot be unpacked/,
    );
  });

  it("refuses splits of two sizes", async () => {
    const wide = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 0]);
    const folder = await folderOf({
      "train-images-idx3-ubyte": images(1),
      "train-labels-idx1-ubyte": labels(0),
      "t10k-images-idx3-ubyte": wide,
      "t10k-labels-idx1-ubyte": labels(0),
    });
    await expect(openData(folder)).rejects.toThrowError(
      /test split: images differ in size, need 2×2 as train split, got 4×1/,
    );
  });
});
