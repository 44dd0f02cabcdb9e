import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ErrorCode, ScconvError } from "../../base/errors.js";
import { ratiosToFirst, type Spread, spreadOf } from "../../base/spread.js";
import type { NodeProvider } from "./ort.js";

export interface BenchOptions {
  readonly provider?: NodeProvider | undefined;
  readonly threads?: number | undefined;
  readonly batch?: number | undefined;
  /** Timed inferences of each model. */
  readonly runs?: number | undefined;
  /** For symbolic sizes other than the batch. */
  readonly size?: number | undefined;
  readonly seed?: number | undefined;
  readonly externalLinks?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRound?: ((done: number) => void) | undefined;
}

export interface ModelTiming extends Spread {
  readonly file: string;
  readonly peakRssMb: number;
}

export interface BenchResult {
  readonly provider: NodeProvider;
  readonly threads: number;
  readonly batch: number;
  readonly runs: number;
  readonly runtime: string;
  readonly models: readonly ModelTiming[];
  /** To the first model. */
  readonly ratios: readonly number[];
}

export type ToChild =
  | {
      readonly kind: "open";
      readonly file: string;
      readonly provider: NodeProvider;
      readonly threads: number;
      readonly batch: number;
      readonly size: number | undefined;
      readonly seed: number;
      readonly warmUp: number;
      readonly externalLinks: boolean;
    }
  | { readonly kind: "turn" }
  | { readonly kind: "memory" };

export type FromChild =
  | { readonly kind: "ready"; readonly runtime: string }
  | { readonly kind: "timed"; readonly ms: number }
  | { readonly kind: "memory"; readonly peakRssMb: number }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string };

const WARM_UP = 5;

/** The engine's threads go on spinning for a moment after a run; the neighbour's turn is not to share its cores with them. */
const PAUSE_MS = 80;

/**
 * Times models in turn, each in a process of its own: one inference of the first, one of the second, …, and again, so
 * that a slow spell of the machine falls on all of them.
 */
export async function benchModels(
  files: readonly string[],
  options: BenchOptions = {},
): Promise<BenchResult> {
  const { provider = "cpu", threads = availableParallelism(), batch = 1, runs = 30 } = options;
  const { size, seed = 0, externalLinks = false, signal, onRound } = options;
  const children: Child[] = [];
  try {
    let runtime = "";
    // One after the other: opening is heavy, and would disturb the neighbour's warm-up.
    for (const file of files) {
      const child = startChild(file, signal);
      children.push(child);
      const job = {
        kind: "open",
        file,
        provider,
        threads,
        batch,
        size,
        seed,
        externalLinks,
        warmUp: WARM_UP,
      } as const;
      ({ runtime } = await child.ask(job, "ready"));
    }
    const rounds: number[][] = [];
    for (let r = 0; r < runs; r++) {
      const round: number[] = [];
      for (const child of children) {
        await setTimeout(PAUSE_MS);
        round.push((await child.ask({ kind: "turn" }, "timed")).ms);
      }
      rounds.push(round);
      onRound?.(r + 1);
    }
    const models: ModelTiming[] = [];
    for (const [i, child] of children.entries()) {
      const { peakRssMb } = await child.ask({ kind: "memory" }, "memory");
      models.push({ file: files[i]!, ...spreadOf(rounds.map((round) => round[i]!)), peakRssMb });
    }
    return { provider, threads, batch, runs, runtime, models, ratios: ratiosToFirst(rounds) };
  } finally {
    for (const child of children) child.stop();
  }
}

interface Child {
  ask<K extends FromChild["kind"]>(message: ToChild, kind: K): Promise<Extract<FromChild, { kind: K }>>;
  stop(): void;
}

function startChild(file: string, signal: AbortSignal | undefined): Child {
  const path = fileURLToPath(new URL("./bench-child.js", import.meta.url));
  const child = fork(path, { execArgv: [], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  return {
    ask: (message, kind) => answerOf(child, file, message, kind, signal),
    stop: () => {
      child.kill("SIGKILL");
    },
  };
}

function answerOf<K extends FromChild["kind"]>(
  child: ChildProcess,
  file: string,
  message: ToChild,
  kind: K,
  signal: AbortSignal | undefined,
): Promise<Extract<FromChild, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      signal?.removeEventListener("abort", onAbort);
      act();
    };
    const onMessage = (answer: FromChild) =>
      settle(() => {
        // The message was made in the other process, and names its file already.
        if (answer.kind === "failed") reject(new ScconvError(answer.code, answer.message));
        else if (answer.kind === kind) resolve(answer as Extract<FromChild, { kind: K }>);
      });
    const onExit = (code: number | null, by: string | null) =>
      settle(() =>
        reject(
          new ScconvError("engine", "the engine's process ended", {
            where: file,
            got: by ?? `status ${code}`,
          }),
        ),
      );
    const onError = (cause: Error) =>
      settle(() => reject(new ScconvError("engine", "cannot start a process", { where: file, cause })));
    const onAbort = () => settle(() => reject(new ScconvError("interrupted", "timing was stopped")));
    if (signal?.aborted) return reject(new ScconvError("interrupted", "timing was stopped"));
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    signal?.addEventListener("abort", onAbort, { once: true });
    child.send(message, (error) => {
      if (error) onError(error);
    });
  });
}
