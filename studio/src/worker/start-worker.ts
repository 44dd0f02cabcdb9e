import { type Remote, wrap } from "comlink";
import type { StudioWorker } from "./studio-worker.js";

export interface Started {
  readonly api: Remote<StudioWorker>;
  /** Rejects when the worker itself fails: its script does not load, or memory runs out. */
  readonly failed: Promise<never>;
  stop(): void;
}

export function startWorker(name: string): Started {
  const worker = new Worker(new URL("./studio-worker.ts", import.meta.url), { type: "module", name });
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event) => reject(new Error(event.message || "the worker could not be started"));
  });
  failed.catch(() => {});
  return { api: wrap<StudioWorker>(worker), failed, stop: () => worker.terminate() };
}
