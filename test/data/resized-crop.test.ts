import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { drawCrop, evaluationView, imagenetCrop } from "../../src/data/resized-crop.js";
import { type DrawFigure, golden } from "./golden/torchvision.js";

/** The same figures as of torchvision's draws. */
function figures(height: number, width: number, n = 20000): Record<DrawFigure, number> {
  const boxes = Array.from({ length: n }, (_, i) =>
    drawCrop(new Random(7, i), { height, width }, imagenetCrop),
  );
  const mean = (values: number[]) =>
    values.length === 0 ? 0.5 : values.reduce((a, b) => a + b) / values.length;
  const ratios = boxes.map((b) => Math.log(b.width / b.height));
  const logRatio = mean(ratios);
  return {
    area: mean(boxes.map((b) => b.height * b.width)) / (height * width),
    logRatio,
    ratioDeviation: Math.sqrt(mean(ratios.map((r) => (r - logRatio) ** 2))),
    top: mean(boxes.filter((b) => b.height < height).map((b) => b.top / (height - b.height))),
    left: mean(boxes.filter((b) => b.width < width).map((b) => b.left / (width - b.width))),
  };
}

describe("random resized crops", () => {
  it.each(golden.draws)(
    "of $height × $width images fall as torchvision's do",
    ({ height, width, ...theirs }) => {
      const ours = figures(height, width);
      // 20,000 draws each: the means' own deviation is below 0.002.
      for (const key of Object.keys(theirs) as DrawFigure[]) {
        expect(Math.abs(ours[key] - theirs[key]), key).toBeLessThan(0.01);
      }
    },
  );

  it("lie inside any image", () => {
    const side = fc.integer({ min: 1, max: 3000 });
    fc.assert(
      fc.property(side, side, fc.integer(), (height, width, seed) => {
        const box = drawCrop(new Random(seed), { height, width }, imagenetCrop);
        expect(box.height).toBeGreaterThan(0);
        expect(box.width).toBeGreaterThan(0);
        expect(box.top).toBeGreaterThanOrEqual(0);
        expect(box.left).toBeGreaterThanOrEqual(0);
        expect(box.top + box.height).toBeLessThanOrEqual(height);
        expect(box.left + box.width).toBeLessThanOrEqual(width);
      }),
    );
  });

  it("take the centre where nothing of the ratio fits", () => {
    const whole = { scale: [1, 1], ratio: [3 / 4, 4 / 3] } as const;
    expect(drawCrop(new Random(1), { height: 100, width: 1000 }, whole)).toEqual({
      ...{ top: 0, left: 433, height: 100, width: 133 },
    });
    expect(drawCrop(new Random(1), { height: 1000, width: 100 }, whole)).toEqual({
      ...{ top: 433, left: 0, height: 133, width: 100 },
    });
  });
});

describe("the evaluation view", () => {
  it("is 224 of 256 at the shorter side", () => {
    expect(evaluationView({ height: 375, width: 500 }, 224, 0.875)).toEqual({
      ...{ height: 256, width: 341, box: { top: 16, left: 58, height: 224, width: 224 } },
    });
    expect(evaluationView({ height: 500, width: 333 }, 224, 0.875)).toEqual({
      ...{ height: 384, width: 256, box: { top: 80, left: 16, height: 224, width: 224 } },
    });
  });

  it("lies inside the resized image", () => {
    const side = fc.integer({ min: 1, max: 4000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 1, max: 512 }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        (h, w, size, share) => {
          const { height, width, box } = evaluationView({ height: h, width: w }, size, share);
          expect(box.top).toBeGreaterThanOrEqual(0);
          expect(box.left).toBeGreaterThanOrEqual(0);
          expect(box.top + size).toBeLessThanOrEqual(height);
          expect(box.left + size).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});
