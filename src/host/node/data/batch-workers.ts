import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ScconvError } from "../../../base/errors.js";
import type { BatchJob, FromWorker, ToWorker, WorkerData } from "./batch-job.js";
import { orThrow } from "./decode-image.js";

/** Threads that turn jobs into filled buffers. */
export interface BatchWorkers {
  /** How many threads. */
  readonly width: number;
  /** The job's buffer, filled. It belongs to the worker until then. */
  run(job: BatchJob): { readonly done: Promise<ArrayBuffer>; cancel(): void };
  /** Resolves when every thread has ended. */
  close(): Promise<void>;
}

/** The engine needs the cores; decoding gets about one in four, and always one. */
export const defaultWorkers = (): number => Math.max(1, Math.min(8, Math.floor(availableParallelism() / 4)));

interface Thread {
  readonly worker: Worker;
  readonly pending: Map<number, { resolve(buffer: ArrayBuffer): void; reject(error: Error): void }>;
  readonly ended: Promise<void>;
  /** Why it ended, once it has. */
  failure: ScconvError | undefined;
  /** Its end is waited for. */
  closing: boolean;
}

/** Only work under way keeps the process alive, and the end of a thread, which a batch that was on its way must not hide. */
function letGoWhenIdle({ worker, pending, closing }: Thread): void {
  if (pending.size === 0 && !closing) worker.unref();
}

export function startWorkers(workerData: WorkerData, width: number): BatchWorkers {
  const file = workerFile();
  const threads = Array.from({ length: width }, () => startThread(file, workerData));
  let ids = 0;
  let closed = false;
  return {
    width,
    run(job) {
      if (closed) throw closedError();
      const id = ids++;
      const thread = threads.reduce((a, b) => (b.pending.size < a.pending.size ? b : a));
      if (thread.failure) throw thread.failure;
      const send = (message: ToWorker, transfer: ArrayBuffer[] = []) =>
        thread.worker.postMessage(message, transfer);
      const done = new Promise<ArrayBuffer>((resolve, reject) => thread.pending.set(id, { resolve, reject }));
      // A job that fails ahead of its turn is reported when its turn comes.
      done.catch(() => {});
      thread.worker.ref();
      send({ kind: "batch", id, job }, [
        job.buffer,
        ...job.locations.flatMap(({ file }) => (file ? [file.buffer] : [])),
      ]);
      const cancel = () => {
        if (!thread.pending.delete(id)) return;
        send({ kind: "cancel", id });
        letGoWhenIdle(thread);
      };
      return { done, cancel };
    },
    async close() {
      closed = true;
      for (const thread of threads) {
        const { worker, pending } = thread;
        thread.closing = true;
        for (const { reject } of pending.values()) reject(closedError());
        pending.clear();
        worker.ref();
        worker.postMessage({ kind: "close" } satisfies ToWorker);
      }
      await Promise.all(threads.map(({ ended }) => ended));
    },
  };
}

function startThread(file: string, workerData: WorkerData): Thread {
  // Not the flags of the command line: some of them (--input-type, --inspect-brk) are not for threads.
  const worker = new Worker(file, { workerData, execArgv: [] });
  worker.unref();
  const pending: Thread["pending"] = new Map();
  const fail = (cause: unknown) => {
    const got = cause instanceof Error ? cause.message : `exit status ${cause}`;
    thread.failure ??= new ScconvError("io", "a thread that reads the data has ended", { got, cause });
    for (const { reject } of pending.values()) reject(thread.failure);
    pending.clear();
  };
  worker.on("message", (message: FromWorker) => {
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    letGoWhenIdle(thread);
    if (!waiting) return;
    if ("buffer" in message) waiting.resolve(message.buffer);
    else {
      try {
        orThrow(message, message.name);
      } catch (error) {
        waiting.reject(error as Error);
      }
    }
  });
  worker.on("error", fail);
  const ended = new Promise<void>((resolve) =>
    worker.on("exit", (code) => {
      fail(code);
      resolve();
    }),
  );
  const thread: Thread = { worker, pending, ended, failure: undefined, closing: false };
  return thread;
}

export const closedError = () => new ScconvError("io", "the data set is closed");

/** A thread cannot run TypeScript: from the sources (tests) the compiled file beside them is taken. */
function workerFile(): string {
  const url = new URL("./batch-worker.js", import.meta.url).href;
  const compiled = import.meta.url.endsWith(".ts") ? url.replace("/src/host/", "/dist/host/") : url;
  const file = fileURLToPath(compiled);
  if (!existsSync(file)) {
    throw new ScconvError("not-found", "the data worker is not compiled", {
      where: file,
      hint: "npm run build",
    });
  }
  return file;
}
