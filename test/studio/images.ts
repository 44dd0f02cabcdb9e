import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { pack } from "tar-stream";
import { normalizations } from "../../src/data/normalize.js";
import { openData } from "../../src/host/node/data/open-data.js";

const shared = "../shared/data/cifar10";
const real = existsSync(shared);
if (!real) console.log(`The studio trains on Fashion-MNIST: ${shared} is not there`);

export interface Labelled {
  readonly label: number;
  readonly png: Buffer;
}

/** The first images of CIFAR-10 where it is there, else of Fashion-MNIST, which the demo's network takes. */
export async function labelledImages(count: number): Promise<Labelled[]> {
  const data = await openData(real ? shared : "fashion-mnist", { limit: count });
  const { channels, height, width } = data;
  const plane = height * width;
  const found: Labelled[] = [];
  for await (const { images, labels } of data.batches("train", {
    batchSize: count,
    normalize: normalizations.none,
  })) {
    for (const [n, label] of labels.entries()) {
      const own = images.subarray(n * channels * plane, (n + 1) * channels * plane);
      const pixels = Uint8Array.from(own, (_, i) =>
        Math.round(255 * own[(i % channels) * plane + Math.floor(i / channels)]!),
      );
      const png = await sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
      found.push({ label, png });
    }
  }
  await data.close();
  return found;
}

/** `FOLDER/SPLIT/CLASS/n.png`; without a split, `FOLDER/CLASS/n.png`. */
export async function writeImages(folder: string, images: readonly Labelled[], split = ""): Promise<void> {
  for (const [n, { label, png }] of images.entries())
    await writePlain(join(folder, split, `${label}`, `${n}.png`), png);
}

export async function writePlain(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** A WebDataset shard. */
export async function shardOf(images: readonly Labelled[]): Promise<Buffer> {
  const tar = pack();
  for (const [n, { label, png }] of images.entries()) {
    tar.entry({ name: `${n}.png` }, png);
    tar.entry({ name: `${n}.cls` }, `${label}`);
  }
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
