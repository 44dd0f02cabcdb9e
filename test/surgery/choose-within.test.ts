import { describe, expect, it } from "vitest";
import { type Choice, type Form, sum } from "../../src/surgery/choose-layers.js";
import { fastestWithin } from "../../src/surgery/choose-within.js";

const layers: Form[][] = Array.from({ length: 12 }, (_, i) => [
  { saving: 2 + (i % 3), uncertainty: 0.1, error: 0.1 + 0.05 * i },
]);
/** A layer costs ten times its error: what later layers lose is what they are worth. */
const lossOf = (tried: Choice[]) => async (choice: Choice) => {
  tried.push(choice);
  return choice.reduce<number>(
    (lost, form, i) => lost + (form === undefined ? 0 : 10 * layers[i]![form]!.error!),
    0,
  );
};
const taken = (choice: Choice | undefined) => choice?.filter((form) => form !== undefined).length;
const budget = { total: 100, latency: 0.97 };

describe("the fastest choice within a loss of accuracy", () => {
  it("is all that pays, after one trial, where that loses little enough", async () => {
    const tried: Choice[] = [];
    const { chosen, trials } = await fastestWithin(layers, { ...budget, maxDrop: 50 }, lossOf(tried));
    expect(taken(chosen)).toBe(12);
    expect(trials).toEqual([{ swapped: 12, saving: 36, lost: expect.closeTo(45, 9) }]);
  });

  it("loses no more than it may, and the next choice would", async () => {
    const tried: Choice[] = [];
    const { chosen, trials } = await fastestWithin(layers, { ...budget, maxDrop: 12 }, lossOf(tried));
    const saving = sum(layers, chosen!);
    expect(trials.find((t) => t.saving === saving)!.lost).toBeLessThanOrEqual(12);
    const faster = trials.filter((t) => t.saving > saving);
    expect(Math.min(...faster.map((t) => t.lost))).toBeGreaterThan(12);
    // 16 notches: the fastest, and a bisection.
    expect(trials.length).toBeLessThanOrEqual(5);
    expect(new Set(tried.map((c) => c.join())).size).toBe(tried.length);
  });

  it("meets a target as well", async () => {
    const { trials } = await fastestWithin(layers, { total: 100, latency: 0.7, maxDrop: 12 }, lossOf([]));
    expect(Math.min(...trials.map((t) => t.saving))).toBeGreaterThanOrEqual(30);
  });

  it("is none where each of them loses more", async () => {
    const { chosen, trials } = await fastestWithin(layers, { ...budget, maxDrop: 0.5 }, lossOf([]));
    expect(chosen).toBeUndefined();
    expect(Math.min(...trials.map((t) => t.lost))).toBeGreaterThan(0.5);
  });
});
