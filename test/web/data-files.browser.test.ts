import { createTarPacker } from "modern-tar";
import { describe, expect, it } from "vitest";
import { imageTensor } from "../../src/data/image-tensor.js";
import { normalizations } from "../../src/data/normalize.js";
import { decodeImage, openDataFiles } from "../../src/web.js";
import { cifarFile } from "../data/cifar-file.js";
import { dataSetCases } from "../data/data-set.cases.js";

/** A PNG of one colour, with one pixel of another. */
async function png(width: number, height: number, shade: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.fillStyle = `rgb(${shade},${255 - shade},${(7 * shade) % 256})`;
  context.fillRect(0, 0, width, height);
  context.fillStyle = "rgb(255,0,10)";
  context.fillRect(1, 0, 1, 1);
  return canvas.convertToBlob({ type: "image/png" });
}

const at = (path: string, blob: Blob) => ({
  path,
  file: new File([blob], path.slice(path.lastIndexOf("/") + 1)),
});

async function folders(paths: readonly string[], size = 6) {
  return Promise.all(paths.map(async (path, i) => at(path, await png(size, size, 9 * i))));
}
const names = (folder: string, n: number) => Array.from({ length: n }, (_, i) => `${folder}/${i}.png`);

async function tar(entries: readonly (readonly [string, Blob | string])[], name: string): Promise<File> {
  const { readable, controller } = createTarPacker();
  const bytes = new Response(readable).arrayBuffer();
  for (const [path, content] of entries) {
    const data = new Uint8Array(await new Blob([content]).arrayBuffer());
    const writer = controller.add({ name: path, size: data.length, type: "file" }).getWriter();
    await writer.write(data);
    await writer.close();
  }
  controller.finalize();
  return new File([await bytes], name);
}

async function shards(): Promise<File[]> {
  const images = await Promise.all(Array.from({ length: 16 }, (_, i) => png(6, 6, 9 * i)));
  const entries = images.flatMap(
    (blob, i) =>
      [
        [`s/${i}.png`, blob],
        [`s/${i}.cls`, `${i % 3}`],
      ] as const,
  );
  return [
    await tar(entries.slice(0, 14), "train-0.tar"),
    await tar(entries.slice(14, 22), "train-1.tar"),
    await tar(entries.slice(22), "val-0.tar"),
  ];
}

dataSetCases("folders of images in files", async () =>
  openDataFiles(
    await folders([
      ...names("d/train/cat", 6),
      ...names("d/train/dog", 5),
      ...names("d/val/cat", 3),
      ...names("d/val/dog", 2),
    ]),
  ),
);
dataSetCases("shards in files", async () => openDataFiles(await shards()));

describe("files that a user gives", () => {
  it("are class folders without splits, of which a share of each class is held out", async () => {
    const data = await openDataFiles(await folders([...names("top/b10", 10), ...names("top/b9", 5)]));
    expect(data).toMatchObject({ classes: ["b9", "b10"], heldOut: true });
    expect([...data.train!.labels].sort()).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect([...data.test!.labels].sort()).toEqual([0, 1, 1]);
    const pixel = async (seed: number) => {
      const held = await openDataFiles(await folders(names("b", 20)), { seed, holdOut: 0.1 });
      const seen: number[] = [];
      for await (const { images } of held.batches("test", { batchSize: 1, normalize: normalizations.none })) {
        seen.push(Math.round(255 * images[0]!));
      }
      return seen;
    };
    expect(await pixel(1)).toEqual(await pixel(1));
    expect(await pixel(1)).not.toEqual(await pixel(2));
  });

  it("are shards of any name, of which a share is held out, too", async () => {
    const [one] = await shards();
    const data = await openDataFiles([new File([one!], "mine.tar")], { holdOut: 0.5, limit: 6 });
    expect([...data.train!.labels, ...data.test!.labels].sort()).toEqual([0, 0, 1, 1, 2, 2]);
    expect(data.test!.length).toBe(3);
  });

  it("are CIFAR's binary files", async () => {
    const file = new File([cifarFile([[3], [9], [0]]) as BlobPart], "data_batch_1.bin");
    const test = new File([cifarFile([[5]]) as BlobPart], "test_batch.bin");
    const data = await openDataFiles([file, test]);
    expect(data).toMatchObject({ height: 32, width: 32, channels: 3 });
    expect([...data.train!.labels, ...data.test!.labels]).toEqual([3, 9, 0, 5]);
    const options = { batchSize: 3, normalize: normalizations.none };
    for await (const { images } of data.batches("train", options)) {
      expect(Math.round(255 * images[3072 + 1024 + 7]!)).toBe(7 + 50 + 1);
    }
    const cut = new File([cifarFile([[3]]).subarray(0, 3000) as BlobPart], "data_batch_1.bin");
    await expect(openDataFiles([cut])).rejects.toThrowError(
      /^data_batch_1\.bin: not a whole number of cifar-10/,
    );
    const grey = await openDataFiles([test], { channels: 1, size: 16 });
    expect(grey).toMatchObject({ height: 16, width: 16, channels: 1 });
    for await (const { images } of grey.batches("test", options)) expect(images).toHaveLength(256);
  });

  it("hold what is in the shards: label, size, and pixels", async () => {
    const data = await openDataFiles(await shards());
    expect(data).toMatchObject({
      classes: ["0", "1", "2"],
      height: 6,
      width: 6,
      channels: 3,
      heldOut: false,
    });
    expect([...data.train!.shards!]).toEqual([0, 7]);
    for await (const { images, labels } of data.batches("test", {
      batchSize: 5,
      normalize: normalizations.none,
    })) {
      expect([...labels]).toEqual([2, 0, 1, 2, 0]);
      expect(images[0]).toBeCloseTo((9 * 11) / 255, 6);
      expect(images[1]).toBe(1);
      expect(images[36]).toBeCloseTo((255 - 99) / 255, 6);
    }
  });

  it("are refused by name where they are no data set, or no image", async () => {
    await expect(openDataFiles([])).rejects.toThrowError(/^the files: there is no file/);
    await expect(openDataFiles(await folders(["1.png"]))).rejects.toThrowError(/no data set found here/);
    const broken = at("d/train/cat/9.png", new Blob(["no image"]));
    await expect(openDataFiles([broken])).rejects.toThrowError(/^d\/train\/cat\/9\.png: not an image/);
    const mixed = [...(await folders(["d/train/cat/1.png"])), ...(await folders(["d/train/cat/2.png"], 7))];
    await expect(openDataFiles(mixed)).rejects.toThrowError(/images differ in size.*give a size/);
    const sized = await openDataFiles(mixed, { size: 4 });
    expect(sized).toMatchObject({ height: 4, width: 4 });
    const alone = await tar([["a.cls", "1"]], "train-0.tar");
    await expect(openDataFiles([alone])).rejects.toThrowError(
      /^train-0\.tar: label a\.cls is without its image/,
    );
    const cut = new File([(await shards())[0]!.slice(0, 3000)], "train-0.tar");
    await expect(openDataFiles([cut])).rejects.toThrowError(/^train-0\.tar: the shard cannot be read/);
  });
});

describe("an image", () => {
  it("is decoded to (H, W, C) bytes, and becomes (1, C, H, W)", async () => {
    const image = await decodeImage(await png(3, 2, 90), "one");
    expect(image).toMatchObject({ height: 2, width: 3, channels: 3 });
    expect([...image.data.subarray(0, 9)]).toEqual([90, 165, 118, 255, 0, 10, 90, 165, 118]);
    const tensor = imageTensor(image, normalizations.none);
    expect(tensor.dims).toEqual([1, 3, 2, 3]);
    expect((tensor.data as Float32Array)[1]).toBe(1);
  });
});
