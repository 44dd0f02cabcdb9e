import { type FigureOf, FoldingTable } from "../parts/folding-table.js";
import { course } from "./training.js";

interface Row {
  readonly after: string;
  readonly top1: number;
  /** Undefined before the first. */
  readonly epoch?: (typeof course.value.epochs)[number];
}

const percent = (n: number): string => `${n.toFixed(2)} %`;

/** Of the curve, in figures. */
export function EpochsTable() {
  const { epochs, calibrated } = course.value;
  const { top1, calibratedTop1 } = calibrated!;
  const rows: Row[] = [
    { after: "the original", top1 },
    { after: "calibration", top1: calibratedTop1 },
    ...epochs.map((epoch) => ({ after: `epoch ${epoch.epoch}`, top1: epoch.top1, epoch })),
  ];
  return <FoldingTable label="Epochs" title="After" rows={rows} nameOf={(r) => r.after} figures={figures} />;
}

const figures: readonly FigureOf<Row>[] = [
  ["Top-1, held out", ({ top1 }) => percent(top1)],
  ["Loss, held out", ({ epoch }) => epoch?.loss.toFixed(3)],
  ["Training loss", ({ epoch }) => epoch?.trainLoss.toFixed(3)],
  ["Top-1, training", ({ epoch }) => epoch && percent(epoch.trainTop1)],
  ["Learning rate", ({ epoch }) => epoch?.learningRate.toPrecision(2)],
];
