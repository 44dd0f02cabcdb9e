import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { momentsOf } from "../../src/features/moments.js";
import { effectiveRank, redundancyOf } from "../../src/features/redundancy.js";

/** Maps of one image, flat. */
const measured = (...images: readonly (readonly (readonly number[])[])[]) => {
  const moments = momentsOf(images[0]!.length, "layer");
  for (const maps of images) moments.add(maps.flat(), maps[0]!.length);
  return redundancyOf(moments.result());
};

describe("redundancy", () => {
  it("counts a map as dead that nowhere exceeds 1e-6 of the largest magnitude", () => {
    const r = measured([
      [1, 2, 3, -4],
      [0, 0, 0, 0],
      [0, 3.9e-6, 0, -3.9e-6],
      [0, 4.1e-6, 0, 0],
    ]);
    expect(r.deadMaps).toEqual([1, 2]);
    expect(r.dead).toBe(2);
    expect(r.zeros).toBeCloseTo((4 + 2 + 3) / 16, 12);
  });

  it("holds a map that lives on one image of several alive", () => {
    const quiet = [
      [1, 2],
      [0, 0],
    ];
    expect(measured(quiet, quiet).dead).toBe(1);
    const awake = [
      [1, 2],
      [0, 5],
    ];
    expect(measured(quiet, awake).dead).toBe(0);
  });

  it("finds two equal maps, also scaled and shifted, and not their negative", () => {
    const a = [1, 2, 4, 8];
    const r = measured([a, a.map((v) => 3 * v + 100), a.map((v) => -v), [1, -1, -1, 1]]);
    expect(r.mostAlike.map((p) => p.maps)).toEqual([[0, 1]]);
    expect(r.mostAlike[0]!.similarity).toBeCloseTo(1, 12);
    // Pairs: (a, b) 1, (a, −a) −1, (b, −a) −1, and d with each: ±(1 − 2 − 4 + 8)/(2·√28.75).
    const s = 3 / (2 * Math.sqrt(28.75));
    expect(r.similarity.pairs).toBe(6);
    expect(r.similarity.alike).toBeCloseTo(1 / 6, 12);
    expect(r.similarity.median).toBeCloseTo((s - s) / 2, 9);
    expect(r.similarity.histogram[0]).toBe(2);
    expect(r.similarity.histogram[19]).toBe(1);
    expect(r.similarity.histogram.reduce((x, y) => x + y)).toBe(6);
  });

  it("leaves constant maps out of the pairs", () => {
    const r = measured([
      [5, 5, 5],
      [1, 2, 3],
      [3, 1, 2],
    ]);
    expect(r.constant).toBe(1);
    expect(r.dead).toBe(0);
    expect(r.similarity.pairs).toBe(1);
    // Centred (−1, 0, 1) and (1, −1, 0): −1 / 2.
    expect(r.similarity.median).toBeCloseTo(-0.5, 12);
  });

  it("has the effective rank of a known covariance", () => {
    // Orthogonal, centred, with squared lengths 4, 4, 16: p = 1/6, 1/6, 2/3.
    const r = measured([
      [1, 1, -1, -1],
      [1, -1, 1, -1],
      [2, -2, -2, 2],
    ]);
    const entropy = -(2 * (1 / 6) * Math.log(1 / 6) + (2 / 3) * Math.log(2 / 3));
    expect(r.effectiveRank).toBeCloseTo(Math.exp(entropy), 12);
    expect(r.redundancy).toBeCloseTo(1 - Math.exp(entropy) / 3, 12);
    expect(effectiveRank([2, 2, 2, 2])).toBeCloseTo(4, 12);
    expect(effectiveRank([7, 0, 0])).toBe(1);
    expect(effectiveRank([])).toBe(0);
  });

  it("is 1 for maps that are all the same, and n for independent ones of equal size", () => {
    const a = [1, 2, 4, 8];
    expect(measured([a, a, a, a]).effectiveRank).toBeCloseTo(1, 9);
    const orthogonal = [
      [1, 1, -1, -1],
      [1, -1, 1, -1],
      [1, -1, -1, 1],
    ];
    expect(measured(orthogonal).redundancy).toBeCloseTo(0, 12);
  });

  it("is the same by the small matrix, of pixels, and by the large one, of channels", () => {
    const random = new Random(5);
    const image = (maps: number, pixels: number) =>
      Array.from({ length: maps }, () => Array.from({ length: pixels }, () => random.normal() + 3));
    // Two images of 3 pixels and 8 channels go by pixels; the same channels said three times over go by channels.
    const [one, two] = [image(8, 3), image(8, 3)];
    const few = measured(one, two);
    const many = measured(one, two, one, two);
    expect([few.pixels, many.pixels]).toEqual([6, 12]);
    expect(few.effectiveRank).toBeGreaterThan(2);
    expect(many.effectiveRank).toBeCloseTo(few.effectiveRank, 9);
    expect(many.similarity.median).toBeCloseTo(few.similarity.median!, 9);
  });

  it("does not lose small variations on a large common offset", () => {
    const wave = [1, -1, 1, -1].map((v) => v * 1e-3);
    const r = measured([wave.map((v) => v + 1000), wave, [1, 1, -1, -1]]);
    expect(r.mostAlike.map((p) => p.maps)).toEqual([[0, 1]]);
    expect(r.mostAlike[0]!.similarity).toBeCloseTo(1, 9);
  });

  it("refuses values that are not finite, naming the layer and the map", () => {
    expect(() =>
      measured([
        [1, 2],
        [Number.NaN, 0],
      ]),
    ).toThrow(/layer.*map 1/);
  });
});
