import { readdir, stat } from "node:fs/promises";
import { ScconvError } from "../../../base/errors.js";
import { agreedShape } from "../../../data/agreed-shape.js";
import { checkLabels } from "../../../data/check-labels.js";
import { findCifar } from "../../../data/cifar.js";
import { classCount, numbers } from "../../../data/class-names.js";
import type { DataSet } from "../../../data/data-set.js";
import { findShards } from "../../../data/shard-samples.js";
import { firstOf } from "../../../data/stored-labels.js";
import { defaultCacheDir, readFashionMnist } from "./fashion-mnist.js";
import { findImageFolders, readImageFolder } from "./image-folder.js";
import { probeSource } from "./probe.js";
import { findIdx, readCifarFiles, readClassNames, readIdxFiles } from "./raw-files.js";
import type { OnProgress, Source, StoredSplit } from "./sources.js";
import { storedDataSet } from "./stored-data-set.js";
import { indexShards } from "./tar-shards.js";

export interface OpenDataOptions {
  /** Resize to size × size (cover, centre crop). Default: the images' own size, which must then be one. */
  size?: number | undefined;
  /** Share that the centre crop keeps: the shorter side is resized to size/crop (224/0.875 = 256). Default: 1. */
  crop?: number | undefined;
  /** First `limit` images of each split. */
  limit?: number | undefined;
  /** Grey or RGB. Default: grey where all images are. */
  channels?: 1 | 3 | undefined;
  /** For conversions that are made once. Default: `scconv` in `$XDG_CACHE_HOME` or `~/.cache`. */
  cacheDir?: string | undefined;
  onProgress?: OnProgress | undefined;
  /** Decoded images are kept in memory when both splits fit into so many bytes. Default: 1 GiB. */
  cacheBytes?: number | undefined;
  /** Threads that decode and assemble. Default: a quarter of the cores, at least one. */
  workers?: number | undefined;
}

/**
 * Opens what `--data` names: `fashion-mnist`, or a folder that holds WebDataset shards, CIFAR's binary files, IDX
 * files or an image folder; which of them is found out. Images are decoded later, beside the training loop.
 * Throws `not-found`, `bad-input` or `usage`, naming file and entry.
 */
export async function openData(spec: string, options: OpenDataOptions = {}): Promise<DataSet> {
  const { size, crop, limit = Number.POSITIVE_INFINITY, channels, cacheBytes = 2 ** 30, workers } = options;
  checkCount("--size", size);
  checkCount("--limit", options.limit);
  if (crop !== undefined && !(crop > 0 && crop <= 1)) {
    throw new ScconvError("usage", "not a share", {
      where: "--crop",
      got: `${crop}`,
      need: "above 0, at most 1",
    });
  }
  const whole =
    spec === "fashion-mnist"
      ? await readFashionMnist(options.cacheDir ?? defaultCacheDir(), options.onProgress)
      : await readFolder(spec, limit, options.onProgress);
  checkLabels(spec, whole.classes, {
    train: named(whole.train, "training"),
    test: named(whole.test, "evaluation"),
  });
  const source: Source = {
    classes: whole.classes,
    train: firstOf(whole.train, limit),
    test: firstOf(whole.test, limit),
  };
  const shape = agreedShape(await probeSource(source), { size, channels }, "give --size N");
  return storedDataSet(source, { source: spec, shape, size, crop, cacheBytes, workers });
}

const layouts =
  "train-*.tar with test-*.tar or val-*.tar (WebDataset); data_batch_*.bin, test_batch.bin or train.bin, test.bin (CIFAR); " +
  "train-images-idx3-ubyte, t10k-images-idx3-ubyte (IDX); train/CLASS/*.jpg with val/ or test/ (image folder)";

async function readFolder(folder: string, limit: number, onProgress?: OnProgress): Promise<Source> {
  const info = await stat(folder).catch((cause) => {
    throw new ScconvError("not-found", "no such data", {
      where: folder,
      need: "a folder, or the name fashion-mnist",
      cause,
    });
  });
  if (!info.isDirectory()) {
    throw new ScconvError("bad-input", "data is not a folder", {
      where: folder,
      need: `a folder with ${layouts}`,
    });
  }
  const names = await readdir(folder);
  const shards = findShards(names);
  if (shards.train.length + shards.test.length > 0) return readShards(folder, shards, limit, onProgress);
  const cifar = findCifar(names);
  if (cifar) return readCifarFiles(folder, cifar);
  const idx = findIdx(names);
  if (idx) return readIdxFiles(folder, idx);
  const folders = findImageFolders(names);
  if (folders.train ?? folders.test) return readImageFolder(folder, folders);
  throw new ScconvError("bad-input", names.length === 0 ? "the folder is empty" : "no data set found here", {
    where: folder,
    need: `one of: ${layouts}`,
    got: names.length === 0 ? undefined : names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : ""),
  });
}

async function readShards(
  folder: string,
  shards: ReturnType<typeof findShards>,
  limit: number,
  onProgress?: OnProgress,
): Promise<Source> {
  const named = await readClassNames(folder);
  // Without names the number of classes is known only once every label was seen.
  const most = named ? limit : Number.POSITIVE_INFINITY;
  const index = async (files: readonly string[]) =>
    files.length > 0 ? indexShards(folder, files, most, onProgress) : undefined;
  const train = await index(shards.train);
  const test = await index(shards.test);
  return { classes: named ?? numbers(classCount(train ?? test)), train, test };
}

/** Of images, for messages. */
const named = (split: StoredSplit | undefined, name: string) =>
  split && {
    labels: split.labels,
    nameOf: (at: number) => (split.kind === "encoded" ? split.locate(at).name : `${name} image ${at}`),
  };

function checkCount(flag: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new ScconvError("usage", "not a number of this kind", {
    where: flag,
    got: `${value}`,
    need: "a whole number from 1",
  });
}
