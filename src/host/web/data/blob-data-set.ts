import { ScconvError } from "../../../base/errors.js";
import { cropDrawer, drawView, jittered } from "../../../data/augment.js";
import {
  type Batch,
  type BatchOptions,
  type DataSet,
  type ImageShape,
  imageBytes,
} from "../../../data/data-set.js";
import { type Epoch, labelsAt, planEpoch, throwIfStopped } from "../../../data/epoch.js";
import { normalizeTable } from "../../../data/normalize.js";
import { splitOf } from "../../../data/stored-labels.js";
import { writeImage } from "../../../data/write-image.js";
import { locatedPixels } from "./located-pixels.js";
import type { Source, StoredSplit } from "./source.js";

export interface BlobOptions {
  readonly source: string;
  /** Of the batches. */
  readonly shape: ImageShape;
  readonly size: number | undefined;
  readonly crop: number | undefined;
  /** Decoded images are kept when all of them fit into so many bytes. */
  readonly cacheBytes: number;
}

/** The pixels of one image in the batches' shape. */
type PixelsOf = (index: number) => Promise<Uint8Array>;

/** A data set over images in blobs: they are decoded at first touch, a batch ahead of the loop, by the browser's own threads. */
export function blobDataSet(stored: Source, options: BlobOptions): DataSet {
  const { source, shape, cacheBytes } = options;
  const images = (stored.train?.labels.length ?? 0) + (stored.test?.labels.length ?? 0);
  const cached = images * imageBytes(shape) <= cacheBytes;
  const pixels = { train: reader(stored.train, options, cached), test: reader(stored.test, options, cached) };
  let closed = false;
  const data: DataSet = {
    source,
    classes: stored.classes,
    ...shape,
    train: splitOf("train", stored.train),
    test: splitOf("test", stored.test),
    batches(name, batch) {
      const epoch = planEpoch(data, name, batch);
      const table = normalizeTable(batch.normalize, shape.channels);
      const part = (index: number) => partOf(stored[name]!, index, shape, batch);
      const read = batch.augment?.resizedCrop ? part : pixels[name]!;
      return batches(read, shape, epoch, table, batch, () => {
        if (closed) throw new ScconvError("interrupted", "the data set was closed", { where: source });
      });
    },
    async close() {
      closed = true;
    },
  };
  return data;
}

function reader(
  split: StoredSplit | undefined,
  { shape, size, crop }: BlobOptions,
  cached: boolean,
): PixelsOf | undefined {
  if (!split) return undefined;
  const view = size === undefined ? undefined : { size, crop };
  const known = new Map<number, Promise<Uint8Array>>();
  const decode = async (index: number) => {
    const located = split.locate(index);
    const { data, height, width } = await locatedPixels(located, { channels: shape.channels, view });
    if (height === shape.height && width === shape.width) return data;
    throw new ScconvError("bad-input", "images differ in size", {
      where: located.name,
      got: `${width}×${height}`,
      need: `${shape.width}×${shape.height}`,
      hint: "give a size",
    });
  };
  return (index) => {
    const found = known.get(index) ?? decode(index);
    if (cached) known.set(index, found);
    return found;
  };
}

/** A random part of the image as it is stored: another one in every epoch, so it is never kept. */
async function partOf(
  split: StoredSplit,
  index: number,
  shape: ImageShape,
  { augment, seed = 0, epoch = 0 }: BatchOptions,
): Promise<Uint8Array> {
  const part = cropDrawer(augment, seed, epoch, index)!;
  const view = { part, ...shape };
  return (await locatedPixels(split.locate(index), { channels: shape.channels, view })).data;
}

async function* batches(
  read: PixelsOf,
  shape: ImageShape,
  epoch: Epoch,
  table: Float32Array,
  { batchSize, augment, seed = 0, epoch: number = 0, signal }: BatchOptions,
  throwIfClosed: () => void,
): AsyncGenerator<Batch> {
  const size = imageBytes(shape);
  const floats = Math.min(batchSize, epoch.split.length) * size;
  // One is filled while the other is trained on.
  const buffers = [new Float32Array(floats), new Float32Array(floats)] as const;
  const assemble = async (b: number): Promise<Batch> => {
    const indices = epoch.indices(b);
    const out = buffers[b % 2]!;
    const one = async (index: number, at: number) => {
      const image = jittered(await read(index), shape.channels, augment, [seed, number, index]);
      writeImage(image, 0, shape, table, drawView(augment, seed, number, index), out, at * size);
    };
    await Promise.all(Array.from(indices, one));
    const images = out.subarray(0, indices.length * size);
    return { index: b, count: indices.length, images, labels: labelsAt(epoch.split, indices), indices };
  };
  let next = epoch.from < epoch.batches ? assemble(epoch.from) : undefined;
  // What fails ahead of its turn is reported when its turn comes, if it comes.
  next?.catch(() => {});
  for (let b = epoch.from; next; b++) {
    throwIfStopped(signal);
    throwIfClosed();
    const batch: Batch = await next;
    next = b + 1 < epoch.batches ? assemble(b + 1) : undefined;
    next?.catch(() => {});
    yield batch;
  }
  throwIfStopped(signal);
}
