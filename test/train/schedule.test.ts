import { describe, expect, it } from "vitest";
import { cosine, steps } from "../../src/train/schedule.js";

describe("cosine", () => {
  it("is half a cosine from the base to nothing", () => {
    const at = cosine(0.4);
    expect(at(0, 100)).toBe(0.4);
    expect(at(50, 100)).toBeCloseTo(0.2, 12);
    expect(at(25, 100)).toBeCloseTo(0.2 * (1 + Math.SQRT1_2), 12);
    expect(at(100, 100)).toBeCloseTo(0, 12);
  });

  it("rises linearly first, and begins the cosine where it arrives", () => {
    const at = cosine(1, { warmup: 4 });
    expect([0, 1, 2, 3, 4].map((s) => at(s, 100))).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect(at(52, 100)).toBeCloseTo(0.5, 12);
  });

  it("rises over a tenth of a short run at most", () => {
    expect(cosine(1, { warmup: 100 })(0, 20)).toBe(0.5);
    expect(cosine(1, { warmup: 100 })(2, 20)).toBe(1);
    expect(cosine(1, { warmup: 100 })(0, 5)).toBe(1);
  });

  it("ends at its floor", () => {
    const at = cosine(2, { floor: 0.1 });
    expect(at(0, 10)).toBe(2);
    expect(at(10, 10)).toBeCloseTo(0.2, 12);
    for (let s = 1; s < 10; s++) expect(at(s, 10)).toBeLessThan(at(s - 1, 10));
  });

  it("is finite and positive in a run of one step", () => {
    expect(cosine(1, { warmup: 1 })(0, 1)).toBe(1);
  });
});

describe("steps", () => {
  it("falls tenfold after a half and after three quarters", () => {
    const at = steps(0.1);
    expect(at(0, 100)).toBe(0.1);
    expect(at(49, 100)).toBe(0.1);
    expect(at(50, 100)).toBeCloseTo(0.01, 12);
    expect(at(74, 100)).toBeCloseTo(0.01, 12);
    expect(at(75, 100)).toBeCloseTo(0.001, 12);
  });

  it("takes its own milestones, factor and warm-up", () => {
    const at = steps(1, { milestones: [0.2], factor: 0.5, warmup: 2 });
    expect([0, 1, 2, 3, 4, 19].map((s) => at(s, 20))).toEqual([0.5, 1, 1, 1, 0.5, 0.5]);
  });

  it("takes epochs for milestones, and falls at their very first step", () => {
    for (const perEpoch of [1, 7, 391, 1251, 5004]) {
      const inEpochs = steps(1, { milestones: [30, 60, 90], epochs: 100 });
      const inShares = steps(1, { milestones: [0.3, 0.6, 0.9] });
      [30, 60, 90].forEach((epoch, i) => {
        for (const at of [inEpochs, inShares]) {
          expect(at(epoch * perEpoch - 1, 100 * perEpoch)).toBeCloseTo(0.1 ** i, 12);
          expect(at(epoch * perEpoch, 100 * perEpoch)).toBeCloseTo(0.1 ** (i + 1), 12);
        }
      });
    }
  });
});
