import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { grids } from "../../src/cli/ablate/grids.js";
import { configsOf, planGrid } from "../../src/cli/ablate/plan.js";
import type { DataSet } from "../../src/data/data-set.js";
import { temporaryFolder, writeIdx } from "./models.js";
import { runCli } from "./run-cli.js";

const data = {
  height: 32,
  width: 32,
  channels: 3,
  classes: Array(10).fill("x"),
  source: "d",
} as unknown as DataSet;
const options = { architecture: "resnet20", seeds: [0], folder: "f", warn: () => {} };

it("Figure 4 on ResNet-20: what does not fit is said, with the reason, and fits with --adapt", async () => {
  const plan = async (adapt: boolean) =>
    planGrid(
      await configsOf(grids.alpha, { ...options, flags: { data: "d", ...(adapt ? { adapt } : {}) } }),
      data,
      options,
    );
  const asIs = await plan(false);
  expect(asIs.cells.map((c) => c.label)).toEqual(["standard", "α = 1/4", "α = 1/2", "α = 3/4"]);
  expect(asIs.refused.map((r) => r.label)).toEqual(["α = 1/8", "α = 3/8", "α = 5/8", "α = 7/8"]);
  expect(asIs.refused[0]!.reason).toBe(
    "layer1.0.conv2.scconv: CRU: conv-groups does not fit, need a divisor of the 1 squeezed upper channels, got 2 (--adapt adapts groups)",
  );

  const { cells, refused } = await plan(true);
  expect(refused).toEqual([]);
  expect(cells).toHaveLength(8);
  // 16 channels: one squeezed upper channel for each eighth, so that odd eighths allow no two groups there.
  expect(cells[1]!.adapted).toEqual(
    [0, 1, 2].map((i) => ({ layer: `layer1.${i}.conv2`, what: "conv-groups 2 → 1" })),
  );
  expect(cells[2]!.adapted).toEqual([]);
  // The others' networks are what they were.
  const of = (label: string, list: typeof cells) => list.find((c) => c.label === label)!.cost;
  expect(of("α = 1/2", cells)).toEqual(of("α = 1/2", asIs.cells));
  // MACs grow with α.
  const macs = cells.slice(1).map((c) => c.cost.macs as number);
  expect(macs).toEqual(macs.toSorted((a, b) => a - b));
});

it("an adapted network is written as it was trained", async () => {
  const folder = await temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  try {
    await mkdir(at("data"));
    await writeIdx(at("data"), { count: 96 });
    const images = ["--data", at("data"), "--normalize", "0.5/0.3", "--threads", "1", "--json"];
    // 16 channels: 6 upper, 3 squeezed; the gate's 6 groups become 4.
    const unit = ["--conv", "scconv", "--alpha", "0.375", "--groups", "6", "--adapt"];
    const short = ["--epochs", "1", "--batch", "16", "--warmup", "0"];
    const trained = await runCli(["train", "resnet8", ...images, ...unit, ...short, "--out", at("run")]);
    expect(trained.status, trained.stderr).toBe(0);
    expect(trained.stderr).toContain("layer1.0.conv2: groups 6 → 4\nlayer1.0.conv2: conv-groups 2 → 1\n");
    const evaluated = await runCli(["eval", at("run", "best.onnx"), ...images]);
    expect(evaluated.status, evaluated.stderr).toBe(0);
    const [a, b] = [JSON.parse(trained.stdout), JSON.parse(evaluated.stdout)];
    expect(b.top1).toBe(a.top1);
    expect(b.loss).toBeCloseTo(a.loss, 4);
  } finally {
    await folder.remove();
  }
});

it("--adapt without SCConv is a mistake", async () => {
  const { status, stderr } = await runCli(["train", "resnet8", "--data", "x", "--adapt", "--out", "y"]);
  expect(status).toBe(2);
  expect(stderr).toContain("--adapt is for SCConv's group counts, got --conv standard");
});
