import { ScconvError } from "../../base/errors.js";
import type { DataSet } from "../../data/data-set.js";
import { nodeEngine } from "../../host/node/ort.js";
import { folderStore } from "../../host/node/run-store.js";
import { decodeCheckpoint } from "../../train/checkpoint.js";
import type { CommandContext } from "../command.js";
import { trainRun } from "../train-run.js";
import { version } from "../version.js";
import { type GridClock, gridClock } from "./clock.js";
import { type Plan, type PlannedRun, stateOf } from "./plan.js";
import { type RunRecord, writeRecord } from "./record.js";

export type Records = ReadonlyMap<PlannedRun, RunRecord>;

export interface GridOptions {
  readonly saveEvery: number | undefined;
  /** After each run, with all that are over. */
  readonly onRun: (records: Records) => Promise<void>;
}

/**
 * Trains what is left of a grid, one run after the other. A run whose loss stops being finite is over, too. On abort the
 * run under way is saved and `interrupted` thrown.
 */
export async function runGrid(
  { runs }: Plan,
  data: DataSet,
  { saveEvery, onRun }: GridOptions,
  context: CommandContext,
): Promise<Records> {
  // All of them first: a run with other settings is refused before any work.
  const states = new Map<PlannedRun, Awaited<ReturnType<typeof stateOf>>>();
  for (const run of runs) states.set(run, await stateOf(run));
  const records = new Map<PlannedRun, RunRecord>();
  for (const [run, { record }] of states) if (record) records.set(run, record);
  if (records.size > 0) context.note(`${records.size} of ${runs.length} runs are done`);
  const clock = gridClock(runs, records, data.train!.length);
  for (const run of runs) {
    if (records.has(run)) continue;
    context.signal.throwIfAborted();
    const { begun } = states.get(run)!;
    const record = await oneRun(run, data, { resume: begun, saveEvery, clock }, context);
    await writeRecord(folderStore(run.folder), record);
    records.set(run, record);
    clock.over(run);
    const last = record.history.at(-1);
    const figure = last ? `top-1 ${last.top1.toFixed(2)} %` : "diverged";
    const far = [`${records.size} of ${runs.length} runs`, clock.left()].filter(Boolean).join(", ");
    context.note(`${nameOf(run)}: ${figure} (${far})`);
    await onRun(records);
  }
  return records;
}

async function oneRun(
  run: PlannedRun,
  data: DataSet,
  { resume, saveEvery, clock }: { resume: boolean; saveEvery: number | undefined; clock: GridClock },
  context: CommandContext,
): Promise<RunRecord> {
  const { threads } = context;
  const made = {
    threads: threads ?? ("all" as const),
    software: { scconv: version, runtime: nodeEngine({ threads }).runtime, node: process.version },
  };
  const progress = clock.progress(run, resume ? await epochsDone(run) : 0, context.progress);
  try {
    const { history, seconds } = await trainRun(
      run.config,
      run.folder,
      data,
      { resume, saveEvery },
      { ...context, progress },
    );
    return { history, seconds, ...made };
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    if (error.code === "interrupted") {
      throw new ScconvError("interrupted", "stopped", { hint: "the same command goes on from here" });
    }
    if (error.code !== "not-finite") throw error;
    context.warn(`${nameOf(run)} diverged: ${error.message}`);
    return { history: [], seconds: 0, ...made, diverged: error.message };
  }
}

const nameOf = ({ cell, seed }: PlannedRun): string => `${cell.label}, seed ${seed}`;

async function epochsDone({ folder }: PlannedRun): Promise<number> {
  const bytes = await folderStore(folder).read("last.safetensors");
  return bytes ? decodeCheckpoint(bytes, folder).epoch : 0;
}
