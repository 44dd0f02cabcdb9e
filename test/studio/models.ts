import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { graphBuilder } from "../../src/ops/index.js";

const shared = "../shared/models/resnet20_cifar10.onnx";
/** ResNet-20 where it is there; the demo's network elsewhere. */
export const network = existsSync(shared)
  ? shared
  : fileURLToPath(new URL("../../demo/fashion-resnet.onnx", import.meta.url));

/** A chain of nodes whose names are markup, and one that gives the output its name. */
export function chain(length: number): Uint8Array {
  const b = graphBuilder({ name: "chain" });
  let x = b.input("x", "float32", [1, 8, 16, 16]);
  for (let i = 0; i < length; i++) x = b.add("Relu", [x], {}, { name: `<img src=x onerror=alert(${i})>` });
  b.output(x, "y");
  return encodeModel(modelOf(b.build()));
}

const inputOf = async (file: string) => decodeModel(await readFile(file)).graph.inputs[0]!;

/** Height and width of its images. */
export const sideOf = async (file: string): Promise<number> =>
  (await inputOf(file)).type!.shape![2] as number;

const grey = (x: number, y: number, seed: number): number =>
  (x * 7 + y * (3 + seed) + ((x * y * (seed + 1)) >> 3)) % 256;

/** A grey image of lines, as PNG; `seed` makes another. */
export function picture(side: number, seed = 0): Promise<Buffer> {
  const data = Buffer.alloc(side * side * 3);
  for (let p = 0; p < side * side; p++)
    data.fill(grey(p % side, Math.floor(p / side), seed), 3 * p, 3 * p + 3);
  return sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
}

/** The logits of such an image, normalised to 0 … 1, on Node's engine. */
export async function answerOf(model: string | Uint8Array, image: Buffer): Promise<ArrayLike<number>> {
  const bytes = typeof model === "string" ? await readFile(model) : model;
  const [input] = decodeModel(bytes).graph.inputs;
  const [, channels, side] = input!.type!.shape as [string, number, number];
  const { data } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
  const values = Float32Array.from(
    { length: channels * side * side },
    (_, i) => data[(i % (side * side)) * 3]! / 255,
  );
  const session = await nodeEngine().open(bytes);
  const results = await session.run(
    new Map([[input!.name, Tensor.of("float32", [1, channels, side, side], values)]]),
  );
  await session.release();
  return [...results.values()][0]!.numbers();
}

/** One of the largest scores, as the page writes it: with a minus sign, not a hyphen. */
export function answerIn(line: string): { index: number; score: number } {
  const [, index, minus, score] = /^class (\d+): (−?)([\d.]+)$/.exec(line)!;
  return { index: Number(index), score: Number(score) * (minus ? -1 : 1) };
}
