import { type Remote, wrap } from "comlink";
import type { StudioWorker } from "./studio-worker.js";

export interface Started {
  /** Every call ends: with the worker's answer, or, where it fails or is stopped before, with an error. */
  readonly api: Remote<StudioWorker>;
  /** Rejects when the worker itself fails (its script does not load, or memory runs out) or is stopped. */
  readonly failed: Promise<never>;
  stop(): void;
}

export function startWorker(name: string): Started {
  const worker = new Worker(new URL("./studio-worker.ts", import.meta.url), { type: "module", name });
  let end: (why: Error) => void;
  const failed = new Promise<never>((_, reject) => {
    end = reject;
  });
  failed.catch(() => {});
  worker.onerror = (event) => end(new Error(event.message || "the worker could not be started"));
  const stop = () => {
    worker.terminate();
    end(new Error("stopped"));
  };
  return { api: orEnd(wrap<StudioWorker>(worker), failed), failed, stop };
}

/** A worker that is gone leaves what it was asked without an answer: whoever waits for one would wait for ever. */
function orEnd(remote: Remote<StudioWorker>, failed: Promise<never>): Remote<StudioWorker> {
  type Call = (...args: unknown[]) => Promise<unknown>;
  return new Proxy(remote, {
    get: (_, name) => {
      const call = remote[name as keyof StudioWorker] as Call;
      return (...args: unknown[]) => Promise.race([call(...args), failed]);
    },
  });
}
