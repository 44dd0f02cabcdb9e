import { expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { parseNormalize } from "../../src/data/normalize.js";
import { sampleOf } from "../../src/data/sample.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { slimDefaults, slimRecipe } from "../../src/surgery/slim-settings.js";
import { planSwap } from "../../src/surgery/swap.js";
import { trialOf } from "../../src/surgery/trial.js";
import { accuracyOf } from "../../src/train/accuracy.js";
import { classifierOf } from "../../src/train/classifier.js";
import { basic, lively, network } from "./networks.js";

const normalize = parseNormalize("0.5/0.25");
const engine = nodeEngine({ threads: 1 });
const original = lively(
  network((x, r) => basic(x, "block1", r)),
  3,
);
const random = new Random(5);
const some = (count: number) => ({
  images: Uint8Array.from({ length: count * 192 }, () => random.int(256)),
  labels: Array.from({ length: count }, () => random.int(4)),
});
const shape = { channels: 3, height: 8, width: 8, classes: ["a", "b", "c", "d"] } as const;

it("compares a choice with the original on the same images, the most there may be", async () => {
  const data = memoryDataSet({ ...some(96), ...shape }, { test: some(11_000) });
  const file = { classifier: classifierOf(original, "net.onnx"), runnable: original };
  const how = { label: "eval", normalize, batch: 125 };
  const progress = { phase: () => ({ tick() {}, done() {} }) };
  const context = { threads: 1, seed: 0, progress, signal: new AbortController().signal };
  const top1 = async (of: typeof data) => (await accuracyOf(engine, file, of, how, context)).top1;
  const [sampled, whole] = [await top1(sampleOf(data, { train: 1, test: 10_000 })), await top1(data)];
  expect(sampled).not.toBe(whole);

  const notes: string[] = [];
  const lossOf = trialOf(
    engine,
    {
      ...{ where: "net.onnx", original, file, data, normalize, unit: {} },
      settings: { ...slimDefaults, calibrate: 8, calibrateBatch: 64 },
      recipe: { ...slimRecipe, epochs: 1, batch: 32, pad: 0, flip: false },
    },
    { ...context, note: (text) => notes.push(text) },
  );
  const [second] = planSwap(original, { layers: "second" }).swapped;
  const lost = await lossOf(new Map([[second!.name, {}]]));
  const [, before, after] = /1 layer, top-1 (.*) → (.*) % after 3 steps/.exec(notes[0]!)!;
  expect(Number(before)).toBe(Number(sampled.toFixed(2)));
  expect(lost).toBeCloseTo(sampled - Number(after), 1);
});
