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
import type { BatchJob, SharedSplit } from "./batch-job.js";
import { type BatchWorkers, closedError, defaultWorkers, startWorkers } from "./batch-workers.js";
import { type ReadAhead, readAhead } from "./read-ahead.js";
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
  let workers: BatchWorkers | undefined;
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
  const sent: ({ indices: Uint32Array } & Job)[] = [];
  let next = epoch.from;
  const stream = streamOf(reading);
  const submit = (indices: Uint32Array, buffer: ArrayBuffer): Job => {
    const run = () => workers.run(jobOf(reading, indices, buffer, stream));
    return stream ? afterReading(stream, indices, run) : run();
  };
  const send = () => {
    for (; sent.length < ahead && next < epoch.batches; next++) {
      const indices = epoch.indices(next);
      const buffer = free.pop() ?? new ArrayBuffer(bufferBytes);
      sent.push({ indices, ...submit(indices, buffer) });
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
    await stream?.reading.catch(() => {});
    await stream?.files.close();
  }
}

interface Job {
  readonly done: Promise<ArrayBuffer>;
  cancel(): void;
}

/** Files read from front to back, for the pass of an epoch that is shuffled within a buffer. */
interface Stream {
  readonly files: ReadAhead;
  /** Ends with what was last asked of it: one batch after the other is read. */
  reading: Promise<void>;
}

function streamOf({ stored, epoch }: Reading): Stream | undefined {
  if (!epoch.reading || stored.kind !== "encoded") return undefined;
  const done = new Uint8Array(epoch.split.length);
  for (let b = 0; b < epoch.from; b++) for (const index of epoch.indices(b)) done[index] = 1;
  return { files: readAhead(stored.locate, epoch.reading, done), reading: Promise.resolve() };
}

/** A job that begins once its files are there. */
function afterReading(stream: Stream, indices: Uint32Array, run: () => Job): Job {
  let job: Job | undefined;
  let cancelled = false;
  stream.reading = stream.reading.then(() => (cancelled ? undefined : stream.files.fill(indices)));
  const done = stream.reading.then(() => {
    if (cancelled) throw closedError();
    job = run();
    return job.done;
  });
  // What fails ahead of its turn is reported when its turn comes.
  done.catch(() => {});
  return {
    done,
    cancel() {
      cancelled = true;
      job?.cancel();
    },
  };
}

function jobOf(
  { stored, shared, epoch, table, options }: Reading,
  indices: Uint32Array,
  buffer: ArrayBuffer,
  stream: Stream | undefined,
): BatchJob {
  const { augment, seed = 0, epoch: number = 0 } = options;
  // Most images are decoded already after the first epoch: only the places of the others travel. A random part of an
  // image is taken from the image itself, every time.
  const locations =
    stored.kind === "raw"
      ? []
      : Array.from(indices, (index, at) => ({ index, at }))
          .filter(({ index }) => stream || augment?.resizedCrop || !shared.ready?.[index])
          .map(({ index, at }) => ({
            ...{ at, location: stored.locate(index) },
            ...(stream ? { file: stream.files.take(index) } : {}),
          }));
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
