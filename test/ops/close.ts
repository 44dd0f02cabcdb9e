import { expect } from "vitest";
import type { Tensor } from "../../src/base/tensor.js";

/** Largest difference, relative to the largest element. Infinities and NaN must be in the same places. */
export function expectClose(got: Tensor, want: Tensor, tolerance: number, what = ""): void {
  expect([...got.dims], `${what}: dims`).toEqual([...want.dims]);
  const [a, b] = [got.numbers(), want.numbers()];
  let scale = 1e-3;
  for (let i = 0; i < b.length; i++) if (Number.isFinite(b[i]!)) scale = Math.max(scale, Math.abs(b[i]!));
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (Object.is(x, y) || x === y) continue;
    const difference = Math.abs(x - y) / scale;
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  }
  expect(worst, `${what}: largest difference, relative`).toBeLessThanOrEqual(tolerance);
}
