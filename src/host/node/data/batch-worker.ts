import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { cropDrawer, drawView, jittered } from "../../../data/augment.js";
import { type DecodedImage, imageBytes } from "../../../data/data-set.js";
import type { DrawBox } from "../../../data/view-pixels.js";
import { writeImage } from "../../../data/write-image.js";
import type { BatchJob, FromWorker, Located, ToWorker, WorkerData } from "./batch-job.js";
import { convertPixels, type DecodeFailure, decodeImage } from "./decode-image.js";

/** Thread that decodes and assembles batches beside the training loop; see `batch-workers.ts` for the other side. */
const port = parentPort!;
const { shape, size, crop, splits } = workerData as WorkerData;
const bytes = imageBytes(shape);
const floats = bytes;

/** Decoding waits for libvips' threads; more than two images at once gained nothing where we measured. */
const sideBySide = 2;
const mostOpenFiles = 64;

interface Task {
  readonly id: number;
  readonly job: BatchJob;
  cancelled: boolean;
}
const queue: Task[] = [];
let closing = false;
let running: Task | undefined;

port.on("message", (message: ToWorker) => {
  if (message.kind === "batch") queue.push({ id: message.id, job: message.job, cancelled: false });
  else {
    const ends = (task: Task) => message.kind === "close" || task.id === message.id;
    for (const task of queue) task.cancelled ||= ends(task);
    if (running && ends(running)) running.cancelled = true;
    if (message.kind === "close") closing = true;
  }
  if (!running) void work();
});

async function work(): Promise<void> {
  for (let task = queue.shift(); task; task = queue.shift()) {
    if (task.cancelled) continue;
    running = task;
    const failure = await assemble(task).catch((error: unknown) => ({
      name: "",
      failed: { code: "io" as const, what: "the batch was not made", got: String(error) },
    }));
    running = undefined;
    if (task.cancelled) continue;
    const { id, job } = task;
    if (failure) port.postMessage({ id, ...failure } satisfies FromWorker);
    else port.postMessage({ id, buffer: job.buffer } satisfies FromWorker, [job.buffer]);
  }
  if (closing) {
    for (const file of files.values()) closeSync(file);
    // The thread ends by itself once nothing listens, without cutting off a decoder.
    port.close();
  }
}

type Failure = DecodeFailure & { readonly name: string };

async function assemble(task: Task): Promise<Failure | undefined> {
  const { job } = task;
  const locations = new Map(job.locations.map((image) => [image.at, image]));
  const out = new Float32Array(job.buffer, 0, job.indices.length * floats);
  let next = 0;
  let failure: Failure | undefined;
  const lane = async () => {
    while (next < job.indices.length && !failure && !task.cancelled) {
      const at = next++;
      const index = job.indices[at]!;
      const { augment, seed, epoch } = job;
      const part = cropDrawer(augment, seed, epoch, index);
      const found = await (part
        ? partAt(job.split, index, locations.get(at), part)
        : pixelsAt(job.split, index, locations.get(at)));
      if ("failed" in found) {
        failure ??= { ...found, name: locations.get(at)?.location.name ?? `${job.split} image ${index}` };
        return;
      }
      const own = found.pixels.subarray(found.offset, found.offset + bytes);
      const image = jittered(own, shape.channels, augment, [seed, epoch, index]);
      writeImage(image, 0, shape, job.table, drawView(augment, seed, epoch, index), out, at * floats);
    }
  };
  // Without anything to decode one lane does it all, and never waits.
  await Promise.all(Array.from({ length: sideBySide }, lane));
  return failure;
}

type Found = { readonly pixels: Uint8Array; readonly offset: number } | DecodeFailure;

function pixelsAt(
  split: "train" | "test",
  index: number,
  located: Located | undefined,
): Found | Promise<Found> {
  const { cache, ready } = splits[split]!;
  if (cache && ready?.[index]) return { pixels: cache, offset: index * bytes };
  return decodeAt(split, index, located);
}

/** A part of the stored image at the batch's size: never cached. */
async function partAt(
  split: "train" | "test",
  index: number,
  located: Located | undefined,
  part: DrawBox,
): Promise<Found> {
  const { cache, raw } = splits[split]!;
  const options = { channels: shape.channels, view: { part, ...shape } };
  // Raw images of the batch's own shape are the cache.
  const whole = raw ?? (located ? undefined : { pixels: cache!, shape });
  const decoded = whole
    ? await convertPixels(slice(whole.pixels, index, imageBytes(whole.shape)), whole.shape, options)
    : await decodeImage(bytesOf(located!), options);
  return "failed" in decoded ? decoded : { pixels: decoded.data, offset: 0 };
}

async function decodeAt(
  split: "train" | "test",
  index: number,
  located: Located | undefined,
): Promise<Found> {
  const { cache, ready, raw } = splits[split]!;
  const options = { channels: shape.channels, view: size === undefined ? undefined : { size, crop } };
  const decoded = raw
    ? await convertPixels(slice(raw.pixels, index, imageBytes(raw.shape)), raw.shape, options)
    : await decodeImage(bytesOf(located!), options);
  if ("failed" in decoded) return decoded;
  const misfit = mismatch(decoded);
  if (misfit) return misfit;
  if (!cache || !ready || located?.file) return { pixels: decoded.data, offset: 0 };
  // Two workers may decode the same image: they write the same bytes, and the flag only after them.
  cache.set(decoded.data, index * bytes);
  Atomics.store(ready, index, 1);
  return { pixels: cache, offset: index * bytes };
}

function mismatch({ height, width }: DecodedImage): DecodeFailure | undefined {
  if (height === shape.height && width === shape.width) return undefined;
  return {
    failed: {
      code: "bad-input",
      what: "images differ in size",
      got: `${width}×${height}`,
      need: `${shape.width}×${shape.height} as the first one`,
      hint: "give --size N",
    },
  };
}

const slice = (pixels: Uint8Array, index: number, size: number): Uint8Array =>
  pixels.subarray(index * size, (index + 1) * size);

/** Shards stay open, the least recently used one is closed. */
const files = new Map<string, number>();

function bytesOf({ location, file: read }: Located): Uint8Array {
  if (read) return read;
  const { path, offset, length } = location;
  if (offset === undefined || length === undefined) return readFileSync(path);
  const file = files.get(path) ?? openSync(path, "r");
  files.delete(path);
  files.set(path, file);
  if (files.size > mostOpenFiles) {
    const [oldest, handle] = files.entries().next().value!;
    files.delete(oldest);
    closeSync(handle);
  }
  const out = new Uint8Array(length);
  return out.subarray(0, readSync(file, out, 0, length, offset));
}
