import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawView, type View } from "../../src/data/augment.js";
import type { ImageShape } from "../../src/data/data-set.js";
import { normalizeTable } from "../../src/data/normalize.js";
import { writeImage } from "../../src/data/write-image.js";

const normalize = { name: "", mean: [0.1, 0.2, 0.3], std: [0.4, 0.5, 0.6] };

/** Step by step: lay the border, cut the crop out, mirror, scale, move channels to the front. */
function naive(
  pixels: Uint8Array,
  { height, width, channels }: ImageShape,
  { dy, dx, flip }: View,
): number[] {
  const out: number[] = [];
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const sy = y + dy;
        const sx = (flip ? width - 1 - x : x) + dx;
        const inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
        const value = inside ? pixels[(sy * width + sx) * channels + c]! : 0;
        out.push(Math.fround((value / 255 - normalize.mean[c]!) / normalize.std[c]!));
      }
  return out;
}

describe("writeImage", () => {
  it("is pad, crop, mirror and normalise in one pass", () => {
    const size = fc.integer({ min: 1, max: 6 });
    const shift = fc.integer({ min: -8, max: 8 });
    fc.assert(
      fc.property(
        size,
        size,
        fc.constantFrom(1, 3),
        shift,
        shift,
        fc.boolean(),
        (height, width, c, dy, dx, flip) => {
          const channels = c as 1 | 3;
          const shape = { height, width, channels };
          const n = height * width * channels;
          const pixels = Uint8Array.from({ length: n + 5 }, (_, i) => (i * 37 + 11) % 256);
          const table = normalizeTable(
            { ...normalize, mean: normalize.mean.slice(0, channels), std: normalize.std.slice(0, channels) },
            channels,
          );
          const out = new Float32Array(n + 4).fill(-99);
          writeImage(pixels, 5, shape, table, { dy, dx, flip }, out, 2);
          expect([...out.subarray(2, n + 2)]).toEqual(naive(pixels.subarray(5), shape, { dy, dx, flip }));
          expect([out[0], out[1], out[n + 2], out[n + 3]]).toEqual([-99, -99, -99, -99]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("drawView", () => {
  it("is a function of seed, epoch and index, and covers every crop", () => {
    const augment = { pad: 2, flip: true };
    expect(drawView(augment, 1, 2, 3)).toEqual(drawView(augment, 1, 2, 3));
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const { dy, dx, flip } = drawView(augment, 0, 0, i);
      seen.add(`${dy} ${dx} ${flip}`);
    }
    expect(seen.size).toBe(5 * 5 * 2);
    const differs = (a: View, b: View) => JSON.stringify(a) !== JSON.stringify(b);
    const some = Array.from({ length: 20 }, (_, i) => i);
    expect(some.some((i) => differs(drawView(augment, 0, 0, i), drawView(augment, 1, 0, i)))).toBe(true);
    expect(some.some((i) => differs(drawView(augment, 0, 0, i), drawView(augment, 0, 1, i)))).toBe(true);
  });

  it("mirrors only where asked", () => {
    for (let i = 0; i < 50; i++)
      expect(drawView({ pad: 0, flip: false }, 0, 0, i)).toEqual({ dy: 0, dx: 0, flip: false });
  });
});
