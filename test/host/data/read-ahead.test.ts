import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Random } from "../../../src/base/random.js";
import { bufferedOrder } from "../../../src/data/buffered-order.js";
import { readAhead } from "../../../src/host/node/data/read-ahead.js";
import { jpeg, type TarEntry, tempFolder, writeTar } from "./fixtures.js";

const root = await tempFolder();

/** Two files of 40 pieces of 1000 bytes each, with a gap between them; piece i is full of bytes i. */
const [SIZE, GAP, PER_FILE] = [1000, 24, 40];
const paths = await Promise.all(
  [0, 1].map(async (f) => {
    const path = join(root, `part-${f}`);
    const bytes = new Uint8Array(PER_FILE * (SIZE + GAP));
    for (let i = 0; i < PER_FILE; i++)
      bytes.fill(f * PER_FILE + i, i * (SIZE + GAP), i * (SIZE + GAP) + SIZE);
    await writeFile(path, bytes);
    return path;
  }),
);
const locate = (i: number) => ({
  ...{ path: paths[Math.floor(i / PER_FILE)]!, offset: (i % PER_FILE) * (SIZE + GAP), length: SIZE },
  name: `${i}`,
});
const length = 2 * PER_FILE;

it("gives every file's own bytes, and holds none that was taken", async () => {
  const { reading, order } = bufferedOrder({ length, shards: [0, PER_FILE] }, 8, new Random(3));
  const files = readAhead(locate, reading, new Uint8Array(length));
  for (const index of order) {
    await files.fill(Uint32Array.of(index));
    expect(files.take(index)).toEqual(new Uint8Array(SIZE).fill(index));
  }
  expect(files.held).toBe(0);
  await files.close();
});

it("reads nothing that was delivered before", async () => {
  const { reading, order } = bufferedOrder({ length, shards: [0, PER_FILE] }, 8, new Random(3));
  const done = new Uint8Array(length);
  for (const index of order.subarray(0, 50)) done[index] = 1;
  const files = readAhead(locate, reading, done);
  await files.fill(order.subarray(50));
  expect(files.held).toBe(30 * SIZE);
  for (const index of order.subarray(50)) expect(files.take(index)[0]).toBe(index);
  await files.close();
});

it("names the image that cannot be read", async () => {
  const files = readAhead(
    () => ({ path: join(root, "gone"), offset: 0, length: 1, name: "gone: 7.jpg" }),
    Uint32Array.of(0),
    new Uint8Array(1),
  );
  await expect(files.fill(Uint32Array.of(0))).rejects.toThrowError(/gone: 7.jpg/);
  await files.close();
});

it("streams shards of 150 MB through a few", async () => {
  // JPEGs followed by 200 kB that no decoder looks at.
  const filler = Buffer.alloc(200_000, 1);
  const image = Buffer.concat([await jpeg(1, 8, 8), filler]);
  for (let s = 0; s < 3; s++) {
    const entries: TarEntry[] = [];
    for (let i = 0; i < 250; i++) {
      const key = `${s * 250 + i}`.padStart(5, "0");
      entries.push([`${key}.jpg`, image], [`${key}.cls`, `${i % 5}`]);
    }
    await writeTar(join(root, "data", `train-${s}.tar`), entries);
  }
  const script = join(root, "stream.mjs");
  const module = (path: string) => JSON.stringify(pathToFileURL(join(process.cwd(), "dist", path)).href);
  await writeFile(
    script,
    `import { openData } from ${module("host/node/data/open-data.js")};
import { normalizations } from ${module("data/normalize.js")};
const data = await openData(process.argv[2]);
const options = { batchSize: 8, normalize: normalizations.none, shuffle: { buffer: 32 } };
let [start, peak, images] = [0, 0, 0];
for await (const batch of data.batches("train", options)) {
  images += batch.count;
  gc();
  const { rss, arrayBuffers } = process.memoryUsage();
  if (batch.index === 4) start = rss;
  if (batch.index > 4) peak = Math.max(peak, arrayBuffers);
  if (batch.index === 93) console.log(JSON.stringify({ images, grown: rss - start, peak }));
}
await data.close();
`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, join(root, "data")]);
  const { images, grown, peak } = JSON.parse(stdout);
  expect(images).toBe(750);
  // 32 images in the buffer, some batches of 8 in flight and a piece of 4 MiB are 20 MB; the rest is not collected yet.
  expect(peak).toBeLessThan(60e6);
  expect(grown).toBeLessThan(80e6);
}, 120_000);
