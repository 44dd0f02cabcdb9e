import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeSwapPlan } from "../../src/surgery/swap-plan.js";
import { temporaryFolder, tinyClassifier } from "./models.js";
import { runCli } from "./run-cli.js";

describe("--plan", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const file = (name: string) => join(folder.path, name);
  const dryRun = (...more: string[]) =>
    runCli(["swap", file("tiny.onnx"), "--plan", file("plan.json"), "--dry-run", "--json", ...more]);

  beforeAll(async () => {
    folder = await temporaryFolder();
    await writeFile(file("tiny.onnx"), tinyClassifier({ width: 16 }));
    const { stdout } = await runCli(["swap", file("tiny.onnx"), "--layers", "all", "--dry-run", "--json"]);
    const [{ name }] = JSON.parse(stdout).swapped;
    await writeFile(file("plan.json"), encodeSwapPlan(new Map([[name, { alpha: 0.25 }]]), "tiny.onnx"));
    await writeFile(file("other.json"), encodeSwapPlan(new Map([["elsewhere", {}]]), "other.onnx"));
  });
  afterAll(() => folder.remove());

  it("swaps what it names, with its settings", async () => {
    const planned = JSON.parse((await dryRun()).stdout);
    const flagged = await runCli([
      ...["swap", file("tiny.onnx"), "--layers", "all", "--alpha", "0.25", "--dry-run", "--json"],
    ]);
    expect(planned.swapped).toEqual(JSON.parse(flagged.stdout).swapped);
    expect(planned.swapped).toHaveLength(1);
  });

  it("has chosen the layers already", async () => {
    const { status, stderr } = await dryRun("--layers", "second");
    expect([status, stderr]).toEqual([2, expect.stringContaining("--plan has chosen the layers already")]);
  });

  it("is for a model that has these convolutions", async () => {
    const { status, stderr } = await runCli([
      "swap",
      file("tiny.onnx"),
      "--plan",
      file("other.json"),
      "--dry-run",
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^scconv: .*names convolutions that the model does not have, got "elsewhere".*\n$/,
    );
  });

  it("is refused by `slim`, too, before any work", async () => {
    await writeFile(file("broken.json"), (await readFile(file("plan.json"), "utf8")).replace("0.25", "true"));
    const { status, stderr } = await runCli([
      ...["slim", file("tiny.onnx"), "--plan", file("broken.json"), "-o", file("out.onnx"), "--data", "x"],
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("can not be, need a number, got true")]);
  });
});

describe("--layers auto", () => {
  it("leaves out forms that do not fit: of 4 channels α = 1/4 makes 1, which can not be squeezed", async () => {
    const folder = await temporaryFolder();
    try {
      const model = join(folder.path, "narrow.onnx");
      await writeFile(model, tinyClassifier({ width: 4 }));
      const { status, stdout, stderr } = await runCli([
        ...["swap", model, "--layers", "auto", "-o", join(folder.path, "out.onnx"), "--json"],
      ]);
      // Either is an answer; the clock decides.
      if (status === 0) {
        const [layer] = JSON.parse(stdout).plan.layers;
        expect(layer.forms.map((f: unknown) => f === null)).toEqual([false, true, false, true]);
      } else expect(stderr).toContain("no swap makes this model faster on this machine");
    } finally {
      await folder.remove();
    }
  });
});
