import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { decodeSafetensors, encodeSafetensors } from "../runtime/safetensors.js";

/** Where a run keeps its files. Writing replaces the whole file at once: beside, flushed, renamed. */
export interface RunStore {
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Whether it keeps nothing of `bytes` once `write` has resolved: a run then needs no fresh memory for each of its states. */
  readonly letsGo?: boolean;
  /** Undefined where there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
}

/** Everything that the rest of a run depends on; a run resumed from it is the same run. */
export interface Checkpoint {
  readonly state: ReadonlyMap<string, Tensor>;
  readonly steps: number;
  /** Where the next step is: epoch from 0, batch within it. */
  readonly epoch: number;
  readonly batch: number;
  /** Sums over the epoch so far. */
  readonly sums: Readonly<Record<string, number>>;
  readonly best: number;
  readonly seconds: number;
  /** Rows of metrics so far. */
  readonly history: readonly EpochMetrics[];
}

export interface EpochMetrics {
  readonly epoch: number;
  readonly learningRate: number;
  readonly trainLoss: number;
  readonly trainTop1: number;
  readonly top1: number;
  readonly top5: number;
  readonly loss: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Share of those seconds in which no step ran: batches were waited for, or states saved. */
  readonly idle: number;
}

/** In memory of its own, or in what `room` gives for so many bytes. */
export function encodeCheckpoint(
  { state, ...rest }: Checkpoint,
  room?: (bytes: number) => Uint8Array,
): Uint8Array {
  return encodeSafetensors(state, new Map([["scconv.run", JSON.stringify(rest)]]), room);
}

export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  const text = metadata.get("scconv.run");
  if (!text) throw new ScconvError("bad-input", "not a checkpoint of scconv", { where });
  try {
    const rest = JSON.parse(text) as Omit<Checkpoint, "state"> & { best: number | null };
    // JSON has no −∞, which stands for no epoch yet.
    return { ...rest, best: rest.best ?? Number.NEGATIVE_INFINITY, state: tensors };
  } catch (cause) {
    throw new ScconvError("bad-input", "the checkpoint's record is damaged", { where, cause });
  }
}

const columns = [
  "epoch",
  "learningRate",
  "trainLoss",
  "trainTop1",
  "top1",
  "top5",
  "loss",
  "seconds",
  "imagesPerSecond",
  "idle",
] as const satisfies readonly (keyof EpochMetrics)[];

export function metricsCsv(history: readonly EpochMetrics[]): string {
  const round = (v: number) => `${Math.round(v * 1e6) / 1e6}`;
  return [columns.join(","), ...history.map((row) => columns.map((c) => round(row[c])).join(","))]
    .join("\n")
    .concat("\n");
}
