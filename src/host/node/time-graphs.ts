import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type ErrorCode, ScconvError } from "../../base/errors.js";
import { median, percentile } from "../../base/spread.js";
import { encodeModel } from "../../graph/codec.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";

export interface TimerJob {
  readonly models: readonly Uint8Array[];
  readonly threads: number | undefined;
  readonly rounds: number;
  readonly seed: number;
}

export type FromTimer =
  | { readonly kind: "round" }
  /** Milliseconds of an inference, by round and graph. */
  | { readonly kind: "timed"; readonly samples: readonly (readonly number[])[] }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

export interface TimeOptions {
  readonly threads?: number | undefined;
  readonly rounds: number;
  /** Over how many processes, one after the other, the rounds are spread; one without. */
  readonly processes?: number | undefined;
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRound?: (() => void) | undefined;
}

export interface Timed {
  /** Median milliseconds of an inference. */
  readonly ms: number;
  /** Median, inside each round, of the first graph's time less this one's; and half of its notch, 1.58·IQR/√n. */
  readonly saving: number;
  readonly uncertainty: number;
  /** Median, inside each round, of this graph's time over the first one's. */
  readonly ratio: number;
}

/**
 * Times graphs of fixed sizes in turn, in processes that end afterwards; savings and ratios are to the first. Where a process's memory
 * comes to lie can make one graph a third slower in all of its rounds: that shows only between processes.
 */
export async function timeGraphs(graphs: readonly Graph[], options: TimeOptions): Promise<Timed[]> {
  const models = graphs.map((g) => encodeModel(modelOf(g)));
  const { rounds, processes = 1, threads, seed = 0 } = options;
  const samples: (readonly number[])[] = [];
  for (let left = processes; left > 0; left--) {
    const share = Math.ceil((rounds - samples.length) / left);
    if (share > 0) samples.push(...(await samplesOf({ models, threads, seed, rounds: share }, options)));
  }
  return graphs.map((_, i) => {
    const savings = samples.map((round) => round[0]! - round[i]!);
    const spread = percentile(savings, 0.75) - percentile(savings, 0.25);
    return {
      ms: median(samples.map((round) => round[i]!)),
      saving: median(savings),
      uncertainty: (1.58 * spread) / Math.sqrt(samples.length),
      ratio: median(samples.map((round) => round[i]! / round[0]!)),
    };
  });
}

function samplesOf(job: TimerJob, { signal, onRound }: TimeOptions): Promise<readonly (readonly number[])[]> {
  if (signal?.aborted) return Promise.reject(new ScconvError("interrupted", "timing was stopped"));
  const path = fileURLToPath(new URL("./time-graphs-child.js", import.meta.url));
  const child = fork(path, {
    execArgv: [],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    serialization: "advanced",
  });
  let onAbort = () => {};
  return new Promise<readonly (readonly number[])[]>((resolve, reject) => {
    onAbort = () => reject(new ScconvError("interrupted", "timing was stopped"));
    signal?.addEventListener("abort", onAbort, { once: true });
    child.on("message", (message: FromTimer) => {
      if (message.kind === "round") onRound?.();
      else if (message.kind === "timed") resolve(message.samples);
      else reject(new ScconvError(message.code, message.message));
    });
    child.on("error", (cause) => reject(new ScconvError("engine", "cannot start a process", { cause })));
    child.on("exit", (code, by) =>
      reject(new ScconvError("engine", "the engine's process ended", { got: by ?? `status ${code}` })),
    );
    child.send(job, (error) => {
      if (error) reject(new ScconvError("engine", "cannot reach the timing process", { cause: error }));
    });
  }).finally(() => {
    signal?.removeEventListener("abort", onAbort);
    child.kill("SIGKILL");
  });
}
