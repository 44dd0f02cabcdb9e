import { describe, expect, it } from "vitest";
import { percentile, ratiosToFirst, spreadOf } from "../../src/base/spread.js";

describe("bench arithmetic", () => {
  it("percentiles between neighbours", () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([5], 0.9)).toBe(5);
    expect(spreadOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual({ medianMs: 5, p10Ms: 1, p90Ms: 9 });
  });

  it("ratios are medians of the rounds' own ratios", () => {
    // A slow spell in the second round hits both models: 2 in each round, though the medians' ratio is 4 / 1.
    expect(
      ratiosToFirst([
        [1, 2],
        [10, 20],
        [1, 2],
      ]),
    ).toEqual([1, 2]);
    // Here the two kinds of ratio differ: medians give 3 / 2, rounds 4, 1.5 and 1.
    expect(
      ratiosToFirst([
        [1, 4],
        [2, 3],
        [3, 3],
      ]),
    ).toEqual([1, 1.5]);
    expect(ratiosToFirst([])).toEqual([]);
  });
});
