import type { Random } from "../base/random.js";
import { hsvToRgb, luma, rgbToHsv } from "./colour.js";

/**
 * Random changes of colour as torchvision's ColorJitter draws them: brightness, contrast and saturation by factors from
 * 1 − x (at least 0) to 1 + x, hue by a part of the circle from −x to x, the four in random order. The arithmetic is
 * that of its Pillow backend, to the last bit (`test/data/color-jitter.test.ts`).
 */
export interface ColorJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** At most 0.5. */
  readonly hue: number;
}

export interface ColorChange {
  readonly what: keyof ColorJitter;
  /** A factor; of the hue a part of the circle. */
  readonly by: number;
}

/** What is done to one image, in order; what has no width is left out. */
export function drawJitter(random: Random, jitter: ColorJitter): ColorChange[] {
  const kinds = ["brightness", "contrast", "saturation", "hue"] as const;
  const order = random.permutation(kinds.length);
  const drawn = kinds.map((what) => {
    const width = jitter[what];
    return what === "hue" ? random.uniform(-width, width) : random.uniform(Math.max(0, 1 - width), 1 + width);
  });
  return Array.from(order, (i) => ({ what: kinds[i]!, by: drawn[i]! })).filter(
    ({ what }) => jitter[what] > 0,
  );
}

/** Changes the pixels, (count, channels) bytes, where they are. Grey images have no saturation and no hue. */
export function changeColors(pixels: Uint8Array, channels: 1 | 3, changes: readonly ColorChange[]): void {
  for (const { what, by } of changes) {
    if (what === "brightness") mapBytes(pixels, (v) => blend(0, v, by));
    else if (what === "contrast") {
      const grey = meanLuma(pixels, channels);
      mapBytes(pixels, (v) => blend(grey, v, by));
    } else if (channels === 3) {
      if (what === "saturation") saturate(pixels, by);
      else turnHue(pixels, by);
    }
  }
}

/** a + by·(b − a) in float32, cut off to a byte. */
function blend(a: number, b: number, by: number): number {
  const v = Math.fround(a + Math.fround(Math.fround(by) * (b - a)));
  return v <= 0 ? 0 : v >= 255 ? 255 : Math.trunc(v);
}

function mapBytes(pixels: Uint8Array, f: (v: number) => number): void {
  const table = Uint8Array.from({ length: 256 }, (_, v) => f(v));
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[pixels[i]!]!;
}

/** The image's mean grey, rounded. */
function meanLuma(pixels: Uint8Array, channels: 1 | 3): number {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += channels) {
    sum += channels === 1 ? pixels[i]! : luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
  }
  return Math.trunc(sum / (pixels.length / channels) + 0.5);
}

function saturate(pixels: Uint8Array, by: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const grey = luma(pixels[i]!, pixels[i + 1]!, pixels[i + 2]!);
    for (let c = i; c < i + 3; c++) pixels[c] = blend(grey, pixels[c]!, by);
  }
}

function turnHue(pixels: Uint8Array, by: number): void {
  // A byte's worth of the circle, wrapping around.
  const turn = Math.trunc(by * 255) & 255;
  const pixel = new Uint8Array(3);
  for (let i = 0; i < pixels.length; i += 3) {
    rgbToHsv(pixels, i, pixel);
    pixel[0]! += turn;
    hsvToRgb(pixel, pixels, i);
  }
}
