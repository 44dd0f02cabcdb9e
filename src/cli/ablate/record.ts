import { ScconvError } from "../../base/errors.js";
import type { EpochMetrics, RunStore } from "../../train/checkpoint.js";

/** What is kept of a run that is over. */
export interface RunRecord {
  /** Of every epoch; empty where it diverged. */
  readonly history: readonly EpochMetrics[];
  readonly seconds: number;
  readonly threads: number | "all";
  readonly software: { readonly scconv: string; readonly runtime: string; readonly node: string };
  /** How it ended, where its loss was not finite. */
  readonly diverged?: string;
}

const RECORD_FILE = "result.json";

export const writeRecord = (store: RunStore, record: RunRecord): Promise<void> =>
  store.write(RECORD_FILE, new TextEncoder().encode(`${JSON.stringify(record, null, 2)}\n`));

/** Undefined where the run is not over. */
export async function readRecord(store: RunStore, folder: string): Promise<RunRecord | undefined> {
  const bytes = await store.read(RECORD_FILE);
  if (!bytes) return undefined;
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as RunRecord;
    if (Array.isArray(record.history) && typeof record.software === "object") return record;
  } catch {
    // Said below: it is not what we wrote.
  }
  throw new ScconvError("bad-input", "not the result of a run", {
    where: `${folder}/${RECORD_FILE}`,
    hint: "without that file the run's end is computed again",
  });
}
