import { ScconvError } from "../base/errors.js";
import { drawView, jittered } from "./augment.js";
import { type Batch, type BatchOptions, type DataSet, imageBytes, type Split } from "./data-set.js";
import { type Epoch, labelsAt, planEpoch, throwIfStopped } from "./epoch.js";
import { normalizeTable } from "./normalize.js";
import { writeImage } from "./write-image.js";

export interface MemoryImages {
  /** (N, H, W, C) */
  readonly images: Uint8Array;
  /** (N) */
  readonly labels: ArrayLike<number>;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly classes: readonly string[];
}

/**
 * A data set of images that are in memory already, without workers: for tests, synthetic data and the browser.
 * The second argument gives the evaluation split and must agree with the first in everything but the images.
 */
export function memoryDataSet(
  train: MemoryImages,
  { test, source = "memory" }: { test?: Pick<MemoryImages, "images" | "labels">; source?: string } = {},
): DataSet {
  const { channels, height, width, classes } = train;
  const size = imageBytes(train);
  const splitOf = (name: "train" | "test", { images, labels }: Pick<MemoryImages, "images" | "labels">) => {
    if (images.length !== labels.length * size) {
      throw new ScconvError("bad-input", "images and labels differ in number", {
        where: `${source}, ${name}`,
        need: `${labels.length * size} bytes`,
        got: `${images.length}`,
      });
    }
    const split: Split = { name, length: labels.length, labels: Int32Array.from(labels) };
    return split;
  };
  const pixels = { train: train.images, test: test?.images };
  const data: DataSet = {
    source,
    classes,
    channels,
    height,
    width,
    train: splitOf("train", train),
    test: test && splitOf("test", test),
    batches(name, options) {
      if (options.augment?.resizedCrop) {
        throw new ScconvError("unsupported", "images in memory are not resized", {
          where: source,
          got: "random resized crops",
          hint: "read them from files",
        });
      }
      const epoch = planEpoch(data, name, options);
      const table = normalizeTable(options.normalize, channels);
      return read(pixels[name] ?? new Uint8Array(0), data, epoch, options, table);
    },
    close: async () => {},
  };
  return data;
}

async function* read(
  pixels: Uint8Array,
  shape: DataSet,
  epoch: Epoch,
  { batchSize, augment, seed = 0, epoch: number = 0, signal }: BatchOptions,
  table: Float32Array,
): AsyncGenerator<Batch> {
  const size = imageBytes(shape);
  const buffer = new Float32Array(Math.min(batchSize, epoch.split.length) * size);
  for (let b = epoch.from; b < epoch.batches; b++) {
    throwIfStopped(signal);
    const indices = epoch.indices(b);
    indices.forEach((index, i) => {
      const own = pixels.subarray(index * size, (index + 1) * size);
      const image = jittered(own, shape.channels, augment, [seed, number, index]);
      const view = drawView(augment, seed, number, index);
      writeImage(image, 0, shape, table, view, buffer, i * size);
    });
    yield {
      index: b,
      count: indices.length,
      images: buffer.subarray(0, indices.length * size),
      labels: labelsAt(epoch.split, indices),
      indices,
    };
  }
}
