import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { graphBuilder } from "../../src/ops/index.js";
import { temporaryFolder } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

/** A second stage that runs once for each row that is left, as detectors have it. */
async function writeTwoStages(): Promise<string> {
  const b = graphBuilder({ name: "stages" });
  const x = b.input("input", "float32", [8, 6]);
  const found = b.add("NonZero", [b.add("ReduceMax", [x, b.ints([1])], { keepdims: 0 })]);
  const kept = b.add("Gather", [x, b.add("Squeeze", [found, b.ints([0])])], { axis: 0 });
  b.output(b.add("MatMul", [kept, b.parameter("w", Tensor.zeros("float32", [6, 5]))]), "output");
  const path = join(folder.path, "stages.onnx");
  await writeFile(path, encodeModel(modelOf(b.build())));
  return path;
}

it("inspect says which size is open, why, and what each one of it costs", async () => {
  const path = await writeTwoStages();
  const { macs, open } = JSON.parse((await runCli(["inspect", path, "--json"])).stdout);
  expect(open).toEqual([
    { size: expect.stringMatching(/^\?\d+$/), each: 30, from: expect.any(String), op: "NonZero" },
  ]);
  expect(macs).toBe(`30·${open[0].size}`);
  const { stdout } = await runCli(["inspect", path]);
  expect(stdout).toMatch(
    /Open: \?\d+, which the values decide in \S+ \(NonZero\), 30 MACs for each; known only when it runs/,
  );
  // No flag can fill that in.
  expect(stdout).not.toContain("--size");
});
