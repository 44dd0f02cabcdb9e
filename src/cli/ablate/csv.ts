import type { GridFacts } from "./facts.js";
import type { CellRow, RunRow, Summary } from "./summary.js";

type Read = (cell: CellRow, run: RunRow, facts: GridFacts) => string | number | undefined;

/** Columns of `ablation.csv`: one row for each run. No times here either. */
const columns: Readonly<Record<string, Read>> = {
  cell: (c) => c.label,
  settings: (c) => c.settings,
  seed: (_, r) => r.seed,
  epochs: (c) => c.epochs,
  trainImages: (_, __, f) => f.data.trainImages,
  evaluationImages: (_, __, f) => f.data.evaluationImages,
  parameters: (c) => c.parameters,
  macs: (c) => `${c.macs}`,
  top1Last: (_, r) => r.last?.top1,
  top5Last: (_, r) => r.last?.top5,
  lossLast: (_, r) => r.last?.loss,
  trainLossLast: (_, r) => r.last?.trainLoss,
  top1Best: (_, r) => r.best?.top1,
  bestEpoch: (_, r) => r.best?.epoch,
  diverged: (_, r) => r.diverged,
};

export function csv({ cells }: Summary, facts: GridFacts): string {
  const rows = cells.flatMap((cell) =>
    cell.runs.map((run) => Object.values(columns).map((read) => field(read(cell, run, facts)))),
  );
  return `${[Object.keys(columns), ...rows].map((row) => row.join(",")).join("\n")}\n`;
}

/** RFC 4180. */
function field(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return `${Math.round(value * 1e6) / 1e6}`;
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
