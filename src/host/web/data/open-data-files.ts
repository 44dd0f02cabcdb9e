import { ScconvError } from "../../../base/errors.js";
import { agreedShape, type Probed, probedIndices } from "../../../data/agreed-shape.js";
import { checkLabels } from "../../../data/check-labels.js";
import { findCifar } from "../../../data/cifar.js";
import { classCount, classNames, numbers } from "../../../data/class-names.js";
import type { DataSet } from "../../../data/data-set.js";
import { byName } from "../../../data/image-names.js";
import { findShards, type Shards } from "../../../data/shard-samples.js";
import { firstOf } from "../../../data/stored-labels.js";
import { blobDataSet } from "./blob-data-set.js";
import { readCifarFiles } from "./cifar-files.js";
import { probeImage } from "./decode-image.js";
import { readImageFolder } from "./image-folder.js";
import { type PlacedFile, placed } from "./placed-file.js";
import { type Source, type StoredSplit, withHeldOut } from "./source.js";
import { readShards } from "./tar-shards.js";

export interface OpenDataFilesOptions {
  /** Resize to size × size (cover, centre crop), in pixels. Default: the images' own size, which must then be one. */
  readonly size?: number | undefined;
  /** Share that the centre crop keeps: the shorter side is resized to size/crop (224/0.875 = 256). Default: 1. */
  readonly crop?: number | undefined;
  /** First `limit` images of each split, before a share is held out. */
  readonly limit?: number | undefined;
  /** Grey or RGB. Default: grey where all images are. */
  readonly channels?: 1 | 3 | undefined;
  /** Share of each class that is held out for evaluation where the files have no split of their own. Default: 0.2. */
  readonly holdOut?: number | undefined;
  /** Draws which images are held out. Default: 0. */
  readonly seed?: number | undefined;
  /** Decoded images are kept in memory when both splits fit into so many bytes. Default: 256 MiB. */
  readonly cacheBytes?: number | undefined;
  /** For messages; default: "the files". */
  readonly name?: string | undefined;
}

export interface FilesDataSet extends DataSet {
  /** The files have no split of their own: `test` is a share of their images. */
  readonly heldOut: boolean;
}

const layouts =
  "CLASS/*.jpg, or train/CLASS/*.jpg with val/ or test/ (folders of images); train-*.tar with test-*.tar or val-*.tar, or any " +
  ".tar (WebDataset); data_batch_*.bin, test_batch.bin or train.bin, test.bin (CIFAR)";

/**
 * A data set of files that were picked (`<input webkitdirectory>`) or dropped (`droppedFiles`): folders of images by class;
 * WebDataset shards with `KEY.jpg` and `KEY.cls`, with `classes.txt` where there is one; CIFAR's binary files. Files of other kinds are
 * passed over.
 * Images are decoded later, beside the training loop.
 *
 * Throws `bad-input`, naming file and entry; `bad-setting`; `io`.
 */
export async function openDataFiles(
  files: Iterable<File | PlacedFile>,
  options: OpenDataFilesOptions = {},
): Promise<FilesDataSet> {
  const { size, crop, limit = Number.POSITIVE_INFINITY, holdOut = 0.2, seed = 0 } = options;
  const { name = "the files" } = options;
  checkShare("crop", crop, (x) => x <= 1);
  checkShare("share that is held out", holdOut, (x) => x <= 0.5);
  checkCount("size", size);
  checkCount("limit", options.limit);
  const all = [...files].map(placed);
  const found = (await shardsOf(all, limit)) ?? (await cifarOf(all)) ?? readImageFolder(all);
  if (!found) {
    const got = all.slice(0, 5).map(({ path }) => path);
    throw new ScconvError("bad-input", all.length === 0 ? "there is no file" : "no data set found here", {
      where: name,
      need: `one of: ${layouts}`,
      got: got.length === 0 ? undefined : got.join(", ") + (all.length > 5 ? ", …" : ""),
    });
  }
  const first = { ...found, train: firstOf(found.train, limit), test: firstOf(found.test, limit) };
  const whole = withHeldOut(first, holdOut, seed);
  checkLabels(name, whole.classes, { train: labelled(whole.train), test: labelled(whole.test) });
  const shape = agreedShape(await probe(whole), options, "give a size");
  const data = blobDataSet(whole, {
    source: name,
    shape,
    size,
    crop,
    cacheBytes: options.cacheBytes ?? 2 ** 28,
  });
  return { ...data, heldOut: whole !== first };
}

async function shardsOf(files: readonly PlacedFile[], limit: number): Promise<Source | undefined> {
  const named = byFileName(files);
  const { train, test } = shardsAmong([...named.keys()]);
  if (train.length + test.length === 0) return undefined;
  const list = named.get("classes.txt");
  const names = list && classNames(await list.text());
  // Without names the number of classes is known only once every label was seen.
  const most = names ? limit : Number.POSITIVE_INFINITY;
  const read = (shards: readonly string[]) =>
    shards.length > 0
      ? readShards(
          shards.map((shard) => named.get(shard)!),
          most,
        )
      : undefined;
  const splits = { train: await read(train), test: await read(test) };
  return { classes: names ?? numbers(classCount(splits.train ?? splits.test)), ...splits };
}

/** A user's own .tar is for training, whatever it is called. */
function shardsAmong(names: readonly string[]): Shards {
  const found = findShards(names);
  if (found.train.length + found.test.length > 0) return found;
  return { train: names.filter((n) => n.endsWith(".tar")).sort(byName), test: [] };
}

async function cifarOf(files: readonly PlacedFile[]): Promise<Source | undefined> {
  const named = byFileName(files);
  const found = findCifar([...named.keys()]);
  return found && readCifarFiles(named, found);
}

async function probe({ train, test }: Source): Promise<Probed[]> {
  const found: Probed[] = [];
  for (const split of [train, test]) {
    for (const index of probedIndices(split?.labels.length ?? 0)) {
      const located = split!.locate(index);
      const { name } = located;
      if ("image" in located) found.push({ name, ...located.image });
      else {
        const { height, width, grey } = await probeImage(located.blob, name);
        found.push({ name, height, width, channels: grey ? 1 : 3 });
      }
    }
  }
  return found;
}

const byFileName = (files: readonly PlacedFile[]) => new Map(files.map(({ file }) => [file.name, file]));

const labelled = (split: StoredSplit | undefined) =>
  split && { labels: split.labels, nameOf: (at: number) => split.locate(at).name };

function checkShare(what: string, value: number | undefined, fits: (x: number) => boolean): void {
  if (value === undefined || (value > 0 && fits(value))) return;
  throw new ScconvError("bad-setting", `${what} is not possible`, {
    got: `${value}`,
    need: "a share above 0",
  });
}

function checkCount(what: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new ScconvError("bad-setting", `${what} is not possible`, {
    got: `${value}`,
    need: "a whole number from 1",
  });
}
