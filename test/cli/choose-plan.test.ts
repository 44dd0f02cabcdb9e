import { describe, expect, it } from "vitest";
import { choosePlan, fastestOf, type Timings } from "../../src/cli/choose-plan.js";
import type { LayerChoice } from "../../src/surgery/swap-plan.js";

const forms = [
  { alpha: 0.5, scope: "element" as const },
  { alpha: 0.5, scope: "channel" as const },
];
/** Four layers that save 10 of 100 ms by element, and 12 by channel with twice the error. */
const timings = (saving = 10): Timings => ({
  ...{ forms, total: 100, where: "net.onnx" },
  layers: ["a", "b", "c", "d"].map((name, i) => ({
    ...{ name, ms: 20 },
    forms: [
      { saving, uncertainty: 0.1, error: 0.1 + i / 100 },
      { saving: saving * 1.2, uncertainty: 0.1, error: 2 * (0.1 + i / 100) },
    ],
  })),
});
const chosen = (layers: readonly { name: string; chosen?: number | undefined }[]) =>
  layers.flatMap((l) => (l.chosen === undefined ? [] : [`${l.name}${l.chosen}`])).join();
/** A point for each layer, and another for a gate by channel. */
const points = async (layers: LayerChoice) =>
  [...layers.values()].reduce((lost, l) => lost + (l.scope === "channel" ? 2 : 1), 0);

describe("the plan of a swap", () => {
  it("takes what saves most for its error", async () => {
    const { layers, predicted, trials } = await choosePlan(timings(), {});
    expect([chosen(layers), predicted, trials]).toEqual(["a0,b0,c0,d0", 0.6, undefined]);
  });

  it("is the fastest that keeps the accuracy", async () => {
    expect(chosen(fastestOf(timings()).layers)).toBe("a1,b1,c1,d1");
    const all = await choosePlan(timings(), { accuracy: { maxDrop: 8, lossOf: points } });
    expect([chosen(all.layers), all.trials?.length]).toEqual(["a1,b1,c1,d1", 1]);
    const some = await choosePlan(timings(), { accuracy: { maxDrop: 3, lossOf: points } });
    expect(some.predicted).toBeLessThan(0.72);
    const kept = some.trials!.filter((t) => t.lost <= 3).map((t) => t.saving);
    expect(Math.max(...kept)).toBeCloseTo(100 * (1 - some.predicted), 9);
  });

  it("keeps the accuracy and meets the target, or says that it cannot", async () => {
    const both = { target: { latency: 0.65 }, accuracy: { maxDrop: 4, lossOf: points } };
    const { predicted, trials } = await choosePlan(timings(), both);
    expect(predicted).toBeLessThanOrEqual(0.65);
    expect(trials!.at(-1)!.saving).toBeGreaterThanOrEqual(35);
    const strict = { ...both, accuracy: { maxDrop: 2, lossOf: points } };
    await expect(choosePlan(timings(), strict)).rejects.toThrowError(
      /^net\.onnx: no faster choice keeps the accuracy, need 2 at most.*lost with \d convolutions swapped/,
    );
  });

  it("refuses what is not worth it, and a target out of reach, without a trial", async () => {
    const never = { maxDrop: 1, lossOf: () => Promise.reject(new Error("tried")) };
    await expect(choosePlan(timings(0.5), { accuracy: never })).rejects.toThrowError(
      /no swap makes this model/,
    );
    const target = { latency: 0.3 };
    await expect(choosePlan(timings(), { target, accuracy: never })).rejects.toThrowError(/no swap reaches/);
  });
});
