import { ScconvError } from "../base/errors.js";
import { byName } from "./image-names.js";

/** Bytes of label before the 3 × 32 × 32 pixels of every record: CIFAR-100 has the coarse one first. */
export const cifarLabelBytes = { "cifar-10": 1, "cifar-100": 2 } as const;
export type CifarKind = keyof typeof cifarLabelBytes;

export const cifarShape = { height: 32, width: 32, channels: 3 } as const;
const plane = 32 * 32;

export const cifar10Classes = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
] as const;

const cifarFiles: Record<CifarKind, { train: RegExp; test: RegExp }> = {
  "cifar-10": { train: /^data_batch_\d+\.bin$/, test: /^test_batch\.bin$/ },
  "cifar-100": { train: /^train\.bin$/, test: /^test\.bin$/ },
};

/** CIFAR's binary files among these names, if there are any. */
export function findCifar(names: readonly string[]) {
  for (const kind of ["cifar-10", "cifar-100"] as const) {
    const of = (split: "train" | "test") =>
      names.filter((name) => cifarFiles[kind][split].test(name)).sort(byName);
    const [train, test] = [of("train"), of("test")];
    if (train.length + test.length > 0) return { kind, train, test };
  }
  return undefined;
}

/** Records in a file of so many bytes. Throws `bad-input` when the last one is cut off. */
export function cifarCount(bytes: number, kind: CifarKind, where: string): number {
  const record = cifarLabelBytes[kind] + 3 * plane;
  if (bytes === 0 || bytes % record !== 0) {
    throw new ScconvError("bad-input", `not a whole number of ${kind} records`, {
      where,
      need: `a multiple of ${record} bytes`,
      got: `${bytes}`,
      hint: "the file is truncated, or of another kind",
    });
  }
  return bytes / record;
}

/**
 * Krizhevsky's binary version: records of label and planes R, G, B. Writes (32, 32, 3) pixels into `pixels` and the
 * class (CIFAR-100: the fine one) into `labels`, as many as those hold. Throws `bad-input`.
 */
export function readCifar(
  file: Uint8Array,
  kind: CifarKind,
  where: string,
  pixels: Uint8Array,
  labels: Int32Array,
): void {
  const head = cifarLabelBytes[kind];
  const classes = kind === "cifar-10" ? 10 : 100;
  const count = Math.min(labels.length, cifarCount(file.length, kind, where));
  for (let i = 0; i < count; i++) {
    const record = i * (head + 3 * plane);
    const label = file[record + head - 1]!;
    if (label >= classes) {
      throw new ScconvError("bad-input", `record ${i} has no valid class`, {
        where,
        need: `0 … ${classes - 1}`,
        got: `${label}`,
      });
    }
    labels[i] = label;
    const to = i * 3 * plane;
    for (let c = 0; c < 3; c++) {
      const from = record + head + c * plane;
      for (let p = 0; p < plane; p++) pixels[to + p * 3 + c] = file[from + p]!;
    }
  }
}
