import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { symmetricEigenvalues } from "../../src/features/symmetric-eigenvalues.js";

const of = (...rows: readonly (readonly number[])[]) =>
  [...symmetricEigenvalues(Float64Array.from(rows.flat()), rows.length)].sort((a, b) => a - b);

describe("eigenvalues of symmetric matrices", () => {
  it("are those that are known", () => {
    expect(of()).toEqual([]);
    expect(of([-7])).toEqual([-7]);
    expect(of([0, 0], [0, 0])).toEqual([0, 0]);
    // Only the lower half is read.
    for (const [i, v] of of([2, 99], [1, 2]).entries()) expect(v).toBeCloseTo([1, 3][i]!, 14);
    for (const [i, v] of of([3, 0, 0], [0, 1, 0], [0, 0, -2]).entries()) expect(v).toBe([-2, 1, 3][i]);
  });

  it("of second differences are 2 − 2cos(kπ/(n + 1)), also where the matrix is scaled to the ends of a double", () => {
    const n = 60;
    for (const scale of [1, 1e-160, 1e160]) {
      const a = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        a[i * n + i] = 2 * scale;
        if (i > 0) a[i * n + i - 1] = -scale;
      }
      const values = symmetricEigenvalues(a, n).sort();
      values.forEach((v, k) => {
        expect(v / scale).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 12);
      });
    }
  });

  it("are the diagonal that was turned by reflections, repeated and zero ones too", () => {
    const eigenvalues = fc.array(fc.constantFrom(0, 1, 1, 2.5, -3, 1e-9), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(eigenvalues, fc.integer(), (values, seed) => {
        const n = values.length;
        const random = new Random(seed >>> 0);
        let a: number[][] = values.map((v, i) => values.map((_, j) => (i === j ? v : 0)));
        for (let turns = 0; turns < 3; turns++) {
          const u = values.map(() => random.normal());
          const norm = u.reduce((sum, v) => sum + v * v, 0);
          const reflect = (x: readonly number[]) => {
            const along = (2 * x.reduce((sum, v, i) => sum + v * u[i]!, 0)) / norm;
            return x.map((v, i) => v - along * u[i]!);
          };
          const rows = a.map(reflect);
          a = rows.map((_, i) => reflect(rows.map((row) => row[i]!)));
        }
        const found = symmetricEigenvalues(Float64Array.from(a.flat()), n).sort();
        const known = Float64Array.from(values).sort();
        found.forEach((v, k) => {
          expect(Math.abs(v - known[k]!)).toBeLessThan(1e-13 * n);
        });
      }),
    );
  });
});
