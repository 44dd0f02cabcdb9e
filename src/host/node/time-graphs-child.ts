import { setTimeout } from "node:timers/promises";
import { ScconvError } from "../../base/errors.js";
import { median } from "../../base/spread.js";
import { decodeModel } from "../../graph/codec.js";
import { randomFeeds } from "../../runtime/random-feeds.js";
import type { NamedTensors, Session } from "../../runtime/session.js";
import { nodeEngine } from "./ort.js";
import type { FromTimer, TimerJob } from "./time-graphs.js";

/*
 * Graphs that are timed against one another in one process, which ends afterwards: sessions never give all their memory
 * back.
 */

/** A sample is the median of the inferences of so long a time: the clock is good for microseconds, the scheduler is not. */
const SAMPLE_MS = 25;
const WARM_UP = 3;
/** The engine's threads go on spinning for a while after a run: the next session's turn is not to share its cores with them. */
const PAUSE_MS = 60;

async function time({ models, threads, rounds, seed }: TimerJob): Promise<number[][]> {
  const engine = nodeEngine({ threads });
  const runs: (() => Promise<number>)[] = [];
  for (const bytes of models) {
    const { graph } = decodeModel(bytes);
    const session = await engine.open(bytes);
    runs.push(await sampler(session, randomFeeds(graph, { batch: 1, where: "a part of the model" }, seed)));
  }
  const samples: number[][] = [];
  for (let r = 0; r < rounds; r++) {
    const round = new Array<number>(runs.length);
    // Another one begins each round, so that none always follows the same neighbour.
    for (let k = 0; k < runs.length; k++) {
      const i = (k + r) % runs.length;
      await setTimeout(PAUSE_MS);
      round[i] = await runs[i]!();
    }
    samples.push(round);
    process.send?.({ kind: "round" } satisfies FromTimer);
  }
  return samples;
}

async function sampler(session: Session, feeds: NamedTensors): Promise<() => Promise<number>> {
  let once = Number.POSITIVE_INFINITY;
  for (let i = 0; i < WARM_UP; i++) {
    const started = performance.now();
    await session.run(feeds);
    once = Math.min(once, performance.now() - started);
  }
  const repeats = Math.max(1, Math.min(99, Math.ceil(SAMPLE_MS / once)));
  return async () => {
    // One to have the caches back.
    await session.run(feeds);
    const times: number[] = [];
    for (let i = 0; i < repeats; i++) {
      const started = performance.now();
      await session.run(feeds);
      times.push(performance.now() - started);
    }
    return median(times);
  };
}

process.on("message", (job: TimerJob) => {
  const say = (message: FromTimer) => process.send?.(message);
  time(job).then(
    (samples) => say({ kind: "timed", samples }),
    (error) =>
      say({
        kind: "failed",
        code: error instanceof ScconvError ? error.code : "engine",
        message: error instanceof Error ? error.message : String(error),
      }),
  );
});
// Ctrl-C reaches the whole group of processes; the parent decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
