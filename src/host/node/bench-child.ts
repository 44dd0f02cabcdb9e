import { readFile } from "node:fs/promises";
import { ScconvError } from "../../base/errors.js";
import { randomFeeds } from "../../runtime/random-feeds.js";
import type { FromChild, ToChild } from "./bench.js";
import { readModel } from "./models.js";
import { nodeEngine } from "./ort.js";

/*
 * One model in one process: memory is its own, and a crash is no one else's. The first message says what to open;
 * every further one asks for a timed inference.
 */

const say = (message: FromChild): void => {
  process.send?.(message);
};

let turn: (() => Promise<number>) | undefined;

async function open(job: Extract<ToChild, { kind: "open" }>): Promise<void> {
  const { model, runnable } = await readModel(job.file, job);
  const feeds = randomFeeds(model.graph, { batch: job.batch, size: job.size, where: job.file }, job.seed);
  const engine = nodeEngine({ provider: job.provider, threads: job.threads });
  const session = await engine.open(runnable);
  const once = async () => {
    const started = performance.now();
    await session.run(feeds);
    return performance.now() - started;
  };
  for (let i = 0; i < job.warmUp; i++) await once();
  // The turn before was another process's: one inference to have caches and threads back, then the one that counts.
  turn = async () => {
    await once();
    return once();
  };
  say({ kind: "ready", runtime: engine.runtime });
}

/**
 * The most memory that this process held. Linux carries what getrusage reports from the parent across the start of a
 * program; VmHWM begins anew.
 */
async function peakRssMb(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? process.resourceUsage().maxRSS;
  return Number(kib) / 1024;
}

async function answer(message: ToChild): Promise<void> {
  if (message.kind === "open") await open(message);
  else if (message.kind === "turn") say({ kind: "timed", ms: await turn!() });
  else say({ kind: "memory", peakRssMb: await peakRssMb() });
}

process.on("message", (message: ToChild) => {
  answer(message).catch((error) => {
    if (error instanceof ScconvError) say({ kind: "failed", code: error.code, message: error.message });
    else say({ kind: "failed", code: "engine", message: String(error) });
  });
});
// Ctrl-C reaches the whole group of processes; the parent decides what it means.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
