import {
  type Batch,
  type BatchOptions,
  type DataSet,
  type ImageShape,
  imageBytes,
  type Split,
} from "../../../data/data-set.js";
import { type Epoch, labelsAt, planEpoch, throwIfStopped } from "../../../data/epoch.js";
import { normalizeTable } from "../../../data/normalize.js";
import type { SharedSplit } from "./batch-job.js";
import { type BatchWorkers, closedError, defaultWorkers, startWorkers } from "./batch-workers.js";
import { type Source, type StoredSplit, sharedBytes } from "./sources.js";

export interface StoredOptions {
  readonly source: string;
  /** Of the batches. */
  readonly shape: ImageShape;
  readonly size: number | undefined;
  /** Share of the resized image that the centre crop keeps; default: all of its shorter side. */
  readonly crop?: number | undefined;
  /** Decoded images are kept when all of them fit into so many bytes. */
  readonly cacheBytes: number;
  readonly workers?: number | undefined;
}

/** In flight per iteration: enough to hide a slow batch, but no more than this many bytes. */
const mostAhead = 4;
const mostAheadBytes = 2 ** 29;

/** A data set over stored images: workers decode at first touch and assemble batches ahead of the loop. */
export function storedDataSet(stored: Source, options: StoredOptions): DataSet {
  const { source, shape, size, crop, cacheBytes } = options;
  const images = (stored.train?.labels.length ?? 0) + (stored.test?.labels.length ?? 0);
  const cached = images * imageBytes(shape) <= cacheBytes;
  const share = (split: StoredSplit | undefined) => split && shareSplit(split, shape, cached);
  const splits = { train: share(stored.train), test: share(stored.test) };
  const splitOf = (name: "train" | "test"): Split | undefined =>
    stored[name] && { name, length: stored[name].labels.length, labels: stored[name].labels };
  let workers: BatchWorkers | undefined;
  let closed = false;
  const data: DataSet = {
    source,
    classes: stored.classes,
    ...shape,
    train: splitOf("train"),
    test: splitOf("test"),
    batches(name, batch) {
      const epoch = planEpoch(data, name, batch);
      const table = normalizeTable(batch.normalize, shape.channels);
      const start = () => {
        if (closed) throw closedError();
        workers ??= startWorkers({ shape, size, crop, splits }, options.workers ?? defaultWorkers());
        return workers;
      };
      return read({
        start,
        stored: stored[name]!,
        shared: splits[name]!,
        shape,
        epoch,
        table,
        options: batch,
      });
    },
    async close() {
      closed = true;
      await workers?.close();
    },
  };
  return data;
}

function shareSplit(split: StoredSplit, shape: ImageShape, cached: boolean): SharedSplit {
  const { length } = split.labels;
  if (split.kind === "raw") {
    const same = (["height", "width", "channels"] as const).every((k) => split.shape[k] === shape[k]);
    const ready = sharedBytes(length);
    if (same) return { cache: split.pixels, ready: ready.fill(1), raw: undefined };
    const cache = cached ? sharedBytes(length * imageBytes(shape)) : undefined;
    return { cache, ready, raw: { pixels: split.pixels, shape: split.shape } };
  }
  if (!cached) return { cache: undefined, ready: undefined, raw: undefined };
  return { cache: sharedBytes(length * imageBytes(shape)), ready: sharedBytes(length), raw: undefined };
}

interface Reading {
  start(): BatchWorkers;
  readonly stored: StoredSplit;
  readonly shared: SharedSplit;
  readonly shape: ImageShape;
  readonly epoch: Epoch;
  readonly table: Float32Array;
  readonly options: BatchOptions;
}

async function* read(reading: Reading): AsyncGenerator<Batch> {
  const { start, epoch, shape, options } = reading;
  const floats = imageBytes(shape);
  const bufferBytes = Math.min(options.batchSize, epoch.split.length) * floats * 4;
  const workers = start();
  const ahead = Math.max(
    2,
    Math.min(mostAhead + workers.width, Math.floor(mostAheadBytes / Math.max(1, bufferBytes))),
  );
  /** Buffers that the consumer is done with: memory that was touched once is touched again. */
  const free: ArrayBuffer[] = [];
  const sent: { indices: Uint32Array; done: Promise<ArrayBuffer>; cancel(): void }[] = [];
  let next = epoch.from;
  const send = () => {
    for (; sent.length < ahead && next < epoch.batches; next++) {
      const indices = epoch.indices(next);
      const buffer = free.pop() ?? new ArrayBuffer(bufferBytes);
      sent.push({ indices, ...workers.run(jobOf(reading, indices, buffer)) });
    }
  };
  try {
    send();
    for (let index = epoch.from; sent.length > 0; index++) {
      const { indices, done } = sent[0]!;
      const buffer = await stoppable(done, options.signal);
      sent.shift();
      // Before the loop trains, so that the workers are busy meanwhile.
      send();
      const count = indices.length;
      const images = new Float32Array(buffer, 0, count * floats);
      yield { index, count, images, labels: labelsAt(epoch.split, indices), indices };
      throwIfStopped(options.signal);
      free.push(buffer);
    }
  } finally {
    for (const { cancel } of sent) cancel();
  }
}

function jobOf(
  { stored, shared, epoch, table, options }: Reading,
  indices: Uint32Array,
  buffer: ArrayBuffer,
) {
  const { augment, seed = 0, epoch: number = 0 } = options;
  // Most images are decoded already after the first epoch: only the places of the others travel. A random part of an
  // image is taken from the image itself, every time.
  const locations =
    stored.kind === "raw"
      ? []
      : Array.from(indices, (index, at) => ({ index, at }))
          .filter(({ index }) => augment?.resizedCrop || !shared.ready?.[index])
          .map(({ index, at }) => ({ at, location: stored.locate(index) }));
  return { split: epoch.split.name, indices, locations, augment, seed, epoch: number, table, buffer };
}

/** Waits for the buffer or the signal, whichever is first. */
async function stoppable(done: Promise<ArrayBuffer>, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
  throwIfStopped(signal);
  if (!signal) return done;
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    const buffer = await Promise.race([done, stopped]);
    throwIfStopped(signal);
    return buffer as ArrayBuffer;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
