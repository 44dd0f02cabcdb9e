import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { ScconvError } from "../../../base/errors.js";
import { cifar10Classes, cifarCount, cifarShape, type findCifar, readCifar } from "../../../data/cifar.js";
import { classCount, classNames, numbers } from "../../../data/class-names.js";
import { imageBytes } from "../../../data/data-set.js";
import { idxImages } from "../../../data/idx.js";
import { byName } from "../../../data/image-names.js";
import { type Source, type StoredSplit, sharedBytes } from "./sources.js";

export async function readCifarFiles(
  folder: string,
  { kind, train, test }: NonNullable<ReturnType<typeof findCifar>>,
): Promise<Source> {
  const read = async (files: readonly string[]): Promise<StoredSplit | undefined> => {
    if (files.length === 0) return undefined;
    const counts = await Promise.all(
      files.map(async (f) => cifarCount((await stat(join(folder, f))).size, kind, f)),
    );
    const total = counts.reduce((a, b) => a + b);
    const size = imageBytes(cifarShape);
    const pixels = sharedBytes(total * size);
    const labels = new Int32Array(total);
    let at = 0;
    for (const [i, file] of files.entries()) {
      const end = at + counts[i]!;
      const bytes = await readFile(join(folder, file));
      readCifar(bytes, kind, file, pixels.subarray(at * size, end * size), labels.subarray(at, end));
      at = end;
    }
    return { kind: "raw", labels, pixels, shape: cifarShape };
  };
  const classes =
    kind === "cifar-10"
      ? cifar10Classes
      : ((await readClassNames(folder, "fine_label_names.txt")) ?? numbers(100));
  return { classes, train: await read(train), test: await read(test) };
}

/** IDX files by split: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` and so on, also gzipped. */
export function findIdx(names: readonly string[]) {
  const of = (split: string) => {
    const pick = (what: string) =>
      names.filter((n) => new RegExp(`^${split}-${what}[-.]idx\\d-ubyte(\\.gz)?$`).test(n)).sort(byName)[0];
    return { images: pick("images"), labels: pick("labels") };
  };
  const found = { train: of("train"), test: of("(?:t10k|test)") };
  return found.train.images || found.test.images ? found : undefined;
}

export async function readIdxFiles(
  folder: string,
  files: NonNullable<ReturnType<typeof findIdx>>,
): Promise<Source> {
  const read = async ({ images, labels }: (typeof files)["train"]): Promise<StoredSplit | undefined> => {
    if (images === undefined) return undefined;
    if (labels === undefined) {
      throw new ScconvError("not-found", "label file is missing", {
        where: folder,
        need: images.replace("images", "labels").replace(/idx\d/, "idx1"),
      });
    }
    const idx = idxImages(await bytesOf(folder, images), images, await bytesOf(folder, labels), labels);
    const { height, width, channels } = idx;
    const pixels = sharedBytes(idx.pixels.length);
    pixels.set(idx.pixels);
    return { kind: "raw", labels: Int32Array.from(idx.labels), pixels, shape: { height, width, channels } };
  };
  const train = await read(files.train);
  const test = await read(files.test);
  return { classes: (await readClassNames(folder)) ?? numbers(classCount(train, test)), train, test };
}

const inflate = promisify(gunzip);
/** A gzip bomb ends here: twice the largest of the published sets (EMNIST by class) fits, and they pack 5 to 1. */
const mostInflated = 2 ** 30;
const mostRatio = 100;
const inflatedBytes = (packed: number) => Math.min(mostInflated, Math.max(2 ** 20, mostRatio * packed));

async function bytesOf(folder: string, file: string): Promise<Uint8Array> {
  const bytes = await readFile(join(folder, file));
  if (!file.endsWith(".gz")) return bytes;
  try {
    return await inflate(bytes, { maxOutputLength: inflatedBytes(bytes.length) });
  } catch (cause) {
    throw new ScconvError("bad-input", "gzip file cannot be unpacked", {
      where: file,
      got: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

/** The names in `classes.txt`, or undefined where there is no such file. */
export async function readClassNames(folder: string, file = "classes.txt"): Promise<string[] | undefined> {
  const text = await readFile(join(folder, file), "utf8").catch(() => undefined);
  return text === undefined ? undefined : classNames(text);
}
