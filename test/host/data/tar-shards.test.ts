import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { DataSet } from "../../../src/data/data-set.js";
import { normalizations } from "../../../src/data/normalize.js";
import { type OpenDataOptions, openData } from "../../../src/host/node/data/open-data.js";
import { dataSetCases } from "../../data/data-set.cases.js";
import { jpeg, pixelsOf, png, samples, type TarEntry, tempFolder, writeTar } from "./fixtures.js";

const root = await tempFolder();
let folders = 0;
const fresh = () => join(root, `${folders++}`);

const good = fresh();
await writeTar(join(good, "train-000.tar"), await samples(0, 6));
await writeTar(join(good, "train-001.tar"), await samples(6, 11));
await writeTar(join(good, "test-000.tar"), await samples(20, 25));

dataSetCases("shards, decoded once", () => openData(good));
dataSetCases("shards, decoded every epoch by two workers", () =>
  openData(good, { cacheBytes: 0, workers: 2 }),
);

/** Every image of a split as bytes (C, H, W). */
async function readAll(data: DataSet, split: "train" | "test" = "train"): Promise<number[][]> {
  const out: number[][] = [];
  for await (const { images, count } of data.batches(split, {
    batchSize: 4,
    normalize: normalizations.none,
  })) {
    const n = images.length / count;
    for (let i = 0; i < count; i++)
      out.push(Array.from(images.subarray(i * n, (i + 1) * n), (v) => Math.round(v * 255)));
  }
  return out;
}

const planes = (pixels: Uint8Array) => [0, 1, 2].flatMap((c) => [...pixels].filter((_, i) => i % 3 === c));

async function opened<T>(folder: string, options: OpenDataOptions, use: (data: DataSet) => Promise<T>) {
  const data = await openData(folder, options);
  return use(data).finally(() => data.close());
}

it("reads pixels and classes as they were written", () =>
  opened(good, {}, async (data) => {
    expect(data).toMatchObject({ channels: 3, height: 5, width: 6, classes: ["0", "1", "2"] });
    expect([...data.train!.labels]).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]);
    const images = await readAll(data);
    expect(images).toEqual(images.map((_, k) => planes(pixelsOf(k))));
    expect(images).toHaveLength(11);
  }));

it("takes the first images of each split", () =>
  opened(good, { limit: 3 }, async (data) => {
    expect([data.train!.length, data.test!.length]).toEqual([3, 3]);
    expect(await readAll(data)).toEqual([0, 1, 2].map((k) => planes(pixelsOf(k))));
  }));

it("resizes, and converts to grey", () =>
  opened(good, { size: 4, channels: 1 }, async (data) => {
    expect(data).toMatchObject({ channels: 1, height: 4, width: 4 });
    expect((await readAll(data))[0]).toHaveLength(16);
  }));

it("prefers val to test, takes names from classes.txt and passes over what is no sample", async () => {
  const folder = fresh();
  await writeTar(join(folder, "train-0.tar"), [
    ["../../evil.jpg", "/etc/passwd", "symlink"],
    ["dir/", "", "directory"],
    ["dir/._a.png", "resource fork"],
    ["dir/a.json", "{}"],
    ["dir/a.cls", " 1\n"],
    ["dir/a.png", await png(0)],
    [`${"long/".repeat(40)}b.PNG`, await png(1)],
    [`${"long/".repeat(40)}b.cls`, "0"],
  ]);
  await writeTar(join(folder, "val-0.tar"), await samples(0, 2));
  await writeTar(join(folder, "test-0.tar"), []);
  await writeFile(join(folder, "classes.txt"), "cat\r\ndog\r\n");
  await opened(folder, {}, async (data) => {
    expect(data.classes).toEqual(["cat", "dog"]);
    expect([...data.train!.labels]).toEqual([1, 0]);
    expect(data.test!.length).toBe(2);
    expect(await readAll(data)).toEqual([0, 1].map((k) => planes(pixelsOf(k))));
  });
});

const refused: [string, () => Promise<TarEntry[]>, RegExp][] = [
  ["no image", async () => [], /: the training split has no images/],
  [
    "a negative class",
    async () => [
      ["a.png", await png(0)],
      ["a.cls", "-1"],
    ],
    /train-0.tar: a.cls: not a class index, .*got "-1"/,
  ],
  [
    "a class in words",
    async () => [
      ["a.png", await png(0)],
      ["a.cls", "cat"],
    ],
    /got "cat"/,
  ],
  [
    "a class of half",
    async () => [
      ["a.png", await png(0)],
      ["a.cls", "1.5"],
    ],
    /got "1.5"/,
  ],
  [
    "a class beyond reason",
    async () => [
      ["a.png", await png(0)],
      ["a.cls", "1000000000"],
    ],
    /not a class index/,
  ],
  ["a long class", async () => [["a.cls", "1".repeat(5000)]], /not a class index/],
  [
    "an image without a label",
    async () => [["a.png", await png(0)]],
    /train-0.tar: image a.png is without its label, need a.cls/,
  ],
  ["a label without an image", async () => [["a.cls", "0"]], /label a.cls is without its image/],
  [
    "two images of a key",
    async () => [
      ["a.png", await png(0)],
      ["a.jpg", await jpeg(0)],
      ["a.cls", "0"],
    ],
    /two images have the key a/,
  ],
  [
    "images of two sizes",
    async () => [...(await samples(0, 1)), ["b.png", await png(0, 7, 5)], ["b.cls", "0"]],
    /train-0.tar: b.png: images differ in size.*got 7×5.*--size N/,
  ],
  [
    "text for an image",
    async () => [
      ["a.png", "no image"],
      ["a.cls", "0"],
    ],
    /train-0.tar: a.png: not an image/,
  ],
  [
    "SVG for an image",
    async () => [
      ["a.png", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
      ["a.cls", "0"],
    ],
    /not an image/,
  ],
  [
    "an empty image",
    async () => [
      ["a.png", ""],
      ["a.cls", "0"],
    ],
    /not an image, .*got an empty file/,
  ],
];
it.each(refused)("refuses %s, naming shard and entry", async (_, entries, message) => {
  const folder = fresh();
  await writeTar(join(folder, "train-0.tar"), await entries());
  await expect(openData(folder)).rejects.toThrowError(message);
});

it("refuses splits that disagree", async () => {
  const folder = fresh();
  await writeTar(join(folder, "train-0.tar"), await samples(0, 4, 2));
  await writeTar(join(folder, "test-0.tar"), await samples(0, 4, 4));
  await expect(openData(folder)).rejects.toThrowError(
    /test-0.tar: 000002.png: a class index is beyond the classes, need 0 … 1, got 2/,
  );
});

it("refuses a truncated shard and one that is no tar file", async () => {
  const folder = fresh();
  await mkdir(folder);
  await writeFile(
    join(folder, "train-0.tar"),
    (await readFile(join(good, "train-000.tar"))).subarray(0, 1700),
  );
  await expect(openData(folder)).rejects.toThrowError(
    /train-0.tar: the shard cannot be read, got Unexpected end/,
  );
  await writeFile(join(folder, "train-0.tar"), Buffer.alloc(2048, "x"));
  await expect(openData(folder)).rejects.toThrowError(
    /train-0.tar: the shard cannot be read, got Invalid tar header/,
  );
});

it("names a corrupt image when its turn comes, and goes on living", async () => {
  const folder = fresh();
  const whole = await jpeg(1);
  const entries: TarEntry[] = [];
  for (let k = 0; k < 40; k++) {
    entries.push(
      [`${k}.jpg`, k === 21 ? whole.subarray(0, whole.length / 2) : await jpeg(k)],
      [`${k}.cls`, "0"],
    );
  }
  await writeTar(join(folder, "train-0.tar"), entries);
  await opened(folder, {}, async (data) => {
    await expect(readAll(data)).rejects.toThrowError(/^train-0.tar: 21.jpg: image is corrupt, got /);
    for await (const batch of data.batches("train", { batchSize: 4, normalize: normalizations.none })) {
      if (batch.index === 2) break;
    }
  });
});

it("lets the process end, closed or forgotten, also in the middle of a pass", async () => {
  const module = (path: string) => JSON.stringify(pathToFileURL(resolve(`dist/${path}.js`)).href);
  const program = (close: boolean) => `
    const { openData } = await import(${module("host/node/data/open-data")});
    const { normalizations } = await import(${module("data/normalize")});
    const data = await openData(${JSON.stringify(good)});
    for await (const b of data.batches("train", { batchSize: 1, normalize: normalizations.none })) {
      // Batches that are read ahead are on their way by now, and nobody takes them.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
      break;
    }
    ${close ? "await data.close();" : ""}
    console.log("done");`;
  for (const close of [true, false]) {
    const args = ["--input-type=module", "-e", program(close)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(stdout).toBe("done\n");
  }
});

it("fails plainly after closing", async () => {
  const data = await openData(good);
  const reading = data.batches("train", { batchSize: 1, normalize: normalizations.none });
  await data.close();
  await expect(reading[Symbol.asyncIterator]().next()).rejects.toThrowError("the data set is closed");
  await data.close();
});
