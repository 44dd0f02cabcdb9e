import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { jittered } from "../../src/data/augment.js";
import { changeColors, drawJitter } from "../../src/data/color-jitter.js";
import { bytesIn, golden } from "./golden/torchvision.js";

describe("colours", () => {
  it.each(golden.jitter)(
    "$what by $by are torchvision's on Pillow images, to the last bit",
    ({ what, by, pixels }) => {
      const image = bytesIn(golden.colours);
      changeColors(image, 3, [{ what, by }]);
      expect(image).toEqual(bytesIn(pixels));
    },
  );

  it("of grey images change in brightness and contrast only", () => {
    const grey = () => Uint8Array.from([10, 100, 200, 250]);
    const image = grey();
    changeColors(image, 1, [
      { what: "saturation", by: 0 },
      { what: "hue", by: 0.3 },
    ]);
    expect(image).toEqual(grey());
    changeColors(image, 1, [{ what: "contrast", by: 0 }]);
    expect([...image]).toEqual([140, 140, 140, 140]);
    changeColors(image, 1, [{ what: "brightness", by: 2 }]);
    expect([...image]).toEqual([255, 255, 255, 255]);
  });
});

describe("jitter", () => {
  const draw = (seed: number, widths = {}) =>
    drawJitter(new Random(seed), { brightness: 0.4, contrast: 1.5, saturation: 0.2, hue: 0.1, ...widths });

  it("draws each change once, in every order, evenly within its bounds", () => {
    const draws = Array.from({ length: 4000 }, (_, i) => draw(i));
    const orders = new Map<string, number>();
    const sums = { brightness: 0, contrast: 0, saturation: 0, hue: 0 };
    for (const changes of draws) {
      const key = changes.map((c) => c.what).join();
      orders.set(key, (orders.get(key) ?? 0) + 1);
      for (const { what, by } of changes) sums[what] += by / draws.length;
      const of = (what: string) => changes.find((c) => c.what === what)!.by;
      expect(Math.abs(of("brightness") - 1)).toBeLessThanOrEqual(0.4);
      expect(of("contrast")).toBeGreaterThanOrEqual(0);
      expect(of("contrast")).toBeLessThanOrEqual(2.5);
      expect(Math.abs(of("hue"))).toBeLessThanOrEqual(0.1);
    }
    expect(orders.size).toBe(24);
    for (const count of orders.values()) expect(count).toBeGreaterThan(4000 / 24 / 2);
    expect(sums.brightness).toBeCloseTo(1, 1);
    expect(sums.contrast).toBeCloseTo(1.25, 1);
    expect(sums.hue).toBeCloseTo(0, 2);
  });

  it("leaves out what has no width, without moving what the others draw", () => {
    const all = draw(3);
    expect(draw(3, { contrast: 0 })).toEqual(all.filter((c) => c.what !== "contrast"));
  });

  it("changes a copy, as a function of seed, epoch and position", () => {
    const image = Uint8Array.from([200, 100, 50, 20, 30, 40]);
    const augment = {
      pad: 0,
      flip: false,
      jitter: { brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.2 },
    };
    const at = (...key: [number, number, number]) => jittered(image, 3, augment, key);
    expect(at(1, 2, 3)).toEqual(at(1, 2, 3));
    for (const other of [at(2, 2, 3), at(1, 3, 3), at(1, 2, 4)]) expect(other).not.toEqual(at(1, 2, 3));
    expect([...image]).toEqual([200, 100, 50, 20, 30, 40]);
    expect(jittered(image, 3, { pad: 4, flip: true }, [1, 2, 3])).toBe(image);
  });
});
