import { describe, expect, it } from "vitest";
import {
  estimate,
  pairedDifference,
  studentCdf,
  studentQuantile,
} from "../../../src/cli/ablate/statistics.js";

/** The density's integral from 0 to t by Simpson's rule, with its own integral over the line as the norm. */
function integrated(t: number, degrees: number): number {
  // t = tan φ makes the line finite: (1 + t²/ν)^−(ν+1)/2 dt = (1 + tan²φ/ν)^−(ν+1)/2 / cos²φ dφ.
  const density = (phi: number) =>
    Math.cos(phi) ** -2 * (1 + Math.tan(phi) ** 2 / degrees) ** (-(degrees + 1) / 2);
  const simpson = (to: number) => {
    const n = 20_000;
    let sum = 0;
    for (let i = 0; i <= n; i++) {
      const weight = i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2;
      sum += weight * density((to * i) / n);
    }
    return (sum * to) / n / 3;
  };
  return 0.5 + simpson(Math.atan(t)) / (2 * simpson(Math.PI / 2 - 1e-9));
}

describe("Student's t", () => {
  // Every table of the t distribution has these (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [5, 2.571],
    [9, 2.262],
    [10, 2.228],
    [29, 2.045],
    [30, 2.042],
    [100, 1.984],
  ])("ν = %i: t₀.₉₇₅ = %f", (degrees, expected) => {
    expect(studentQuantile(0.975, degrees)).toBeCloseTo(expected, 3);
    expect(studentCdf(studentQuantile(0.975, degrees), degrees)).toBeCloseTo(0.975, 12);
  });

  it("is exact where there is a closed form", () => {
    expect(studentQuantile(0.975, 1)).toBeCloseTo(Math.tan(0.475 * Math.PI), 9);
    expect(studentQuantile(0.975, 2)).toBeCloseTo(0.95 * Math.sqrt(2 / (1 - 0.95 ** 2)), 12);
  });

  it.each([3, 4, 7, 8, 31, 60])("ν = %i agrees with the integral of the density", (degrees) => {
    for (const t of [0.1, 1, 2.5, 6]) {
      expect(studentCdf(t, degrees)).toBeCloseTo(integrated(t, degrees), 8);
      expect(studentCdf(-t, degrees)).toBeCloseTo(1 - studentCdf(t, degrees), 14);
    }
  });
});

describe("estimates", () => {
  it("mean, sample deviation and half the interval", () => {
    // Deviations −1, 0, 1: s = 1, t₀.₉₇₅(2)/√3 = 4.30265/1.73205.
    const e = estimate([70, 71, 72])!;
    expect(e).toMatchObject({ n: 3, mean: 71, deviation: 1 });
    expect(e.half).toBeCloseTo(2.48414, 5);
  });

  it("one value has no interval, none no mean", () => {
    expect(estimate([70])).toEqual({ n: 1, mean: 70, deviation: undefined, half: undefined });
    expect(estimate([])).toBeUndefined();
  });

  it("differences are taken seed by seed, over the seeds that both have", () => {
    const a = new Map([
      [0, 70],
      [1, 75],
      [2, 60],
    ]);
    const b = new Map([
      [1, 76],
      [0, 71],
      [3, 99],
    ]);
    // +1 and +1: what the seeds share falls out.
    expect(pairedDifference(a, b)).toEqual({ n: 2, mean: 1, deviation: 0, half: 0 });
    expect(pairedDifference(a, new Map([[3, 1]]))).toBeUndefined();
  });
});
