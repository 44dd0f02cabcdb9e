import type { Dim } from "../../base/dims.js";
import type { EpochMetrics } from "../../train/checkpoint.js";
import { formatCellFlags } from "./cell.js";
import type { Plan, PlannedCell, PlannedRun } from "./plan.js";
import type { Records } from "./run-grid.js";
import { type Estimate, estimate, pairedDifference } from "./statistics.js";

/** One run's figures; nothing here depends on how long it took or how often it was stopped. */
export interface RunRow {
  readonly seed: number;
  readonly last?: EpochMetrics;
  readonly best?: EpochMetrics;
  readonly diverged?: string;
}

export interface CellRow {
  readonly label: string;
  /** As `scconv train` would be given it. */
  readonly settings: string;
  readonly epochs: number;
  /** `conv-groups 2 → 1 in 3 layers`. */
  readonly adapted: readonly string[];
  readonly parameters: number;
  readonly macs: Dim;
  readonly runs: readonly RunRow[];
  readonly planned: number;
  /** Top-1 after the last epoch, in per cent. */
  readonly last: Estimate | undefined;
  /** Top-1 of the best epoch, which was picked on the images that it is measured on. */
  readonly best: Estimate | undefined;
  /** Top-1 after the last epoch, less the first cell's, over the seeds that both have; none for the first cell. */
  readonly difference: Estimate | undefined;
}

export interface Summary {
  readonly cells: readonly CellRow[];
  readonly refused: Plan["refused"];
  readonly done: number;
  readonly planned: number;
  /** Versions that the runs were made with; more than one where the grid outlived an upgrade. */
  readonly software: readonly string[];
  readonly threads: readonly (number | "all")[];
}

export function summarise({ cells, refused, runs }: Plan, records: Records): Summary {
  const rows: CellRow[] = [];
  const lastOf = (own: readonly RunRow[]) =>
    new Map(own.flatMap(({ seed, last }) => (last ? [[seed, last.top1] as const] : [])));
  let reference: ReadonlyMap<number, number> | undefined;
  for (const cell of cells) {
    const own = runs.filter((run) => run.cell === cell);
    const done = own.flatMap((run) => rowOf(run, records));
    const last = lastOf(done);
    rows.push({
      ...{ label: cell.label, settings: formatCellFlags(cell.flags), epochs: cell.config.recipe.epochs },
      adapted: counted(cell.adapted),
      ...{ parameters: cell.cost.parameters, macs: cell.cost.macs, runs: done, planned: own.length },
      last: estimate([...last.values()]),
      best: estimate(done.flatMap(({ best }) => (best ? [best.top1] : []))),
      difference: reference && pairedDifference(reference, last),
    });
    reference ??= last;
  }
  const all = [...records.values()];
  return {
    ...{ cells: rows, refused, done: records.size, planned: runs.length },
    software: unique(all.map(({ software: s }) => `scconv ${s.scconv}, ${s.runtime}, Node ${s.node}`)),
    threads: unique(all.map((r) => r.threads)),
  };
}

function counted(adapted: PlannedCell["adapted"]): string[] {
  const layers = new Map<string, number>();
  for (const { what } of adapted) layers.set(what, (layers.get(what) ?? 0) + 1);
  return [...layers].map(([what, count]) => `${what} in ${count} layer${count === 1 ? "" : "s"}`);
}

function rowOf(run: PlannedRun, records: Records): RunRow[] {
  const record = records.get(run);
  if (!record) return [];
  const { history, diverged } = record;
  const last = history.at(-1);
  if (diverged !== undefined || !last) return [{ seed: run.seed, diverged: diverged ?? "no epoch" }];
  return [{ seed: run.seed, last, best: history.reduce((a, b) => (b.top1 > a.top1 ? b : a)) }];
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
