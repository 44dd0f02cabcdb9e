import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { graphBuilder } from "../../src/ops/index.js";
import { temporaryFolder } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (...names: string[]) => join(folder.path, ...names);

/** Calls an image bright whose mean is above `threshold`. */
function brightOrDark(threshold: number): Uint8Array {
  const b = graphBuilder({ name: "bright" });
  const x = b.input("input", "float32", ["N", 3, 8, 8]);
  const means = b.add("Flatten", [b.add("GlobalAveragePool", [x])]);
  const weight = b.constant(Tensor.from("float32", [2, 3], [1, 1, 1, -1, -1, -1]), "fc.weight");
  const bias = b.constant(Tensor.from("float32", [2], [-3 * threshold, 3 * threshold]), "fc.bias");
  b.output(b.add("Gemm", [means, weight, bias], { transB: 1 }), "logits");
  return encodeModel(modelOf(b.build()));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const split of ["train", "val"]) {
    for (const [name, grey] of [
      ["bright", 180],
      ["dark", 60],
    ] as const) {
      await mkdir(at("images", split, name), { recursive: true });
      const background = { r: grey, g: grey, b: grey };
      const image = sharp({ create: { width: 8, height: 8, channels: 3, background } }).png();
      for (let i = 0; i < 10; i++)
        await writeFile(at("images", split, name, `${i}.png`), await image.toBuffer());
    }
  }
  await writeFile(at("imagenet.onnx"), brightOrDark(0));
  await writeFile(at("plain.onnx"), brightOrDark(0.5));
});
afterAll(() => folder.remove());

const run = (command: string, model: string, ...flags: string[]) =>
  runCli([command, at(model), "--data", at("images"), "--threads", "1", ...flags]);

const better = /of 20 images 50 % are right as they are fed, 100 % with --normalize imagenet/;

describe("a model whose file does not say how images are normalised", () => {
  it("eval says by which normalisation far more images are right, and goes on as it was told", async () => {
    const { stdout, stderr, status } = await run("eval", "imagenet.onnx", "--json");
    expect(stderr).toMatch(/does not say how images are normalised/);
    expect(stderr).toMatch(better);
    expect(JSON.parse(stdout)).toMatchObject({ top1: 50, normalize: "none" });
    expect(status).toBe(0);
  });

  it("slim says so before its work begins", async () => {
    const { stderr, status } = await run("slim", "imagenet.onnx", "--layers", "all", "-o", at("out.onnx"));
    expect(stderr).toMatch(better);
    // There is no convolution in it.
    expect(status).toBe(1);
  });

  it.each([
    ["what is assumed is as good", "plain.onnx", []],
    ["a flag says it", "imagenet.onnx", ["--normalize", "none"]],
  ])("is silent where %s", async (_, model, flags) => {
    const { stderr } = await run("eval", model, ...flags);
    expect(stderr).not.toMatch(/are right as they are fed/);
  });
});
