import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { conv, linear } from "../../src/nn/layers.js";
import { graphBuilder } from "../../src/ops/index.js";

export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "scconv-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface TinyOptions {
  readonly channels?: number;
  readonly classes?: number;
  readonly kernel?: number;
  readonly width?: number;
}

/** conv1 – relu – conv2 – relu – pool – linear, over (N, C, 8, 8). */
export function tinyClassifier({
  channels = 1,
  classes = 10,
  kernel = 3,
  width = 8,
}: TinyOptions = {}): Uint8Array {
  const b = graphBuilder({ name: "tiny" });
  const random = new Random(7);
  const x = b.input("input", "float32", ["N", channels, 8, 8]);
  const first = b.add("Relu", [conv(x, width, "conv1", random, { kernel: 3, stride: 1 })]);
  const second = b.add("Relu", [conv(first, width, "conv2", random, { kernel, stride: 1 })]);
  const pooled = b.add("Flatten", [b.add("GlobalAveragePool", [second])]);
  b.output(linear(pooled, classes, "fc", random), "logits");
  return encodeModel(modelOf(b.build()));
}

export async function writeTiny(path: string, options?: TinyOptions): Promise<string> {
  await writeFile(path, tinyClassifier(options));
  return path;
}

/** IDX files of `count` random 8×8 images, `classes` classes in turn. */
export async function writeIdx(folder: string, { count = 40, classes = 10 } = {}): Promise<void> {
  const random = new Random(3);
  const header = (...words: number[]) => {
    const bytes = Buffer.alloc(words.length * 4);
    words.forEach((w, i) => void bytes.writeUInt32BE(w, i * 4));
    return bytes;
  };
  for (const split of ["train", "t10k"]) {
    const pixels = Uint8Array.from({ length: count * 64 }, () => random.int(256));
    const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
    await writeFile(
      join(folder, `${split}-images-idx3-ubyte`),
      Buffer.concat([header(0x803, count, 8, 8), pixels]),
    );
    await writeFile(
      join(folder, `${split}-labels-idx1-ubyte`),
      Buffer.concat([header(0x801, count), labels]),
    );
  }
}

export const ones = (...dims: number[]): Tensor =>
  Tensor.from("float32", dims, new Array(dims.reduce((a, d) => a * d, 1)).fill(1));
