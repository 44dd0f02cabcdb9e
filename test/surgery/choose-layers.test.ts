import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { chooseForms, type Form, sum } from "../../src/surgery/choose-layers.js";

const form = (saving: number, error?: number, uncertainty = 0): Form => ({ saving, uncertainty, error });

describe("the choice of layers", () => {
  it("takes of each layer what saves most, and nothing that is not surely faster", () => {
    const layers = [[form(1), form(3)], [form(-1), form(-2)], [form(2, undefined, 2.5)], [form(0.05)]];
    expect(chooseForms(layers, { total: 100 })).toEqual([1, undefined, undefined, undefined]);
  });

  it("leaves out what does not fit", () => {
    const layers = [
      [undefined, form(2)],
      [undefined, undefined],
      [form(5), undefined],
    ];
    expect(chooseForms(layers, { total: 100 })).toEqual([1, undefined, 0]);
    expect(chooseForms(layers, { total: 100, latency: 0.96 })).toEqual([undefined, undefined, 0]);
    expect(sum(layers, [1, undefined, 0])).toBe(7);
  });

  it("takes what saves most for its error, where errors are known", () => {
    expect(chooseForms([[form(3, 0.9), form(2, 0.1)]], { total: 100 })).toEqual([1]);
  });

  it("takes no more than the target needs", () => {
    const layers = [[form(10, 0.5)], [form(10, 0.1)], [form(5, 0.05)]];
    expect(chooseForms(layers, { total: 100, latency: 0.9 })).toEqual([undefined, 0, undefined]);
    expect(chooseForms(layers, { total: 100, latency: 0.86 })).toEqual([undefined, 0, 0]);
    // Out of reach: all that pays.
    expect(chooseForms(layers, { total: 100, latency: 0.2 })).toEqual([0, 0, 0]);
    // Without errors: the fewest layers.
    expect(chooseForms([[form(4)], [form(9)], [form(5)]], { total: 100, latency: 0.91 })).toEqual([
      undefined,
      0,
      undefined,
    ]);
  });

  it("is the best of all choices, up to the rounding of savings", () => {
    const random = new Random(3);
    for (let trial = 0; trial < 50; trial++) {
      const layers = Array.from({ length: 5 }, () =>
        Array.from({ length: 2 }, () => form(random.uniform(-1, 4), random.uniform(0.05, 1))),
      );
      const latency = random.uniform(0.85, 0.99);
      const chosen = chooseForms(layers, { total: 100, latency });
      const needed = 100 * (1 - latency);
      const error = (choice: readonly (number | undefined)[]) =>
        choice.reduce<number>((e, f, i) => e + (f === undefined ? 0 : layers[i]![f]!.error!), 0);
      const options = layers.map((forms) => [
        undefined,
        ...forms.flatMap((f, i) => (f.saving > 0.1 ? [i] : [])),
      ]);
      const all = options.reduce<(number | undefined)[][]>(
        (found, choices) => found.flatMap((head) => choices.map((c) => [...head, c])),
        [[]],
      );
      const enough = all.filter((c) => sum(layers, c) >= needed);
      if (enough.length === 0) continue;
      expect(sum(layers, chosen)).toBeGreaterThanOrEqual(needed * 0.99);
      expect(error(chosen)).toBeLessThanOrEqual(Math.min(...enough.map(error)) * 1.05 + 1e-9);
    }
  });
});
