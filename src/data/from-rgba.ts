import type { DecodedImage } from "./data-set.js";

/** (H, W, 4) bytes in sRGB as (H, W, C): without alpha, or in grey as libvips makes it, by the light that a pixel gives. */
export function fromRgba(
  rgba: ArrayLike<number>,
  height: number,
  width: number,
  channels: 1 | 3,
): DecodedImage {
  const pixels = height * width;
  const data = new Uint8Array(pixels * channels);
  for (let i = 0; i < pixels; i++) {
    const [r, g, b] = [rgba[4 * i]!, rgba[4 * i + 1]!, rgba[4 * i + 2]!];
    if (channels === 1) data[i] = r === g && g === b ? r : grey(r, g, b);
    else {
      data[3 * i] = r;
      data[3 * i + 1] = g;
      data[3 * i + 2] = b;
    }
  }
  return { data, height, width, channels };
}

const linear = Float64Array.from({ length: 256 }, (_, v) =>
  v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
);

function grey(r: number, g: number, b: number): number {
  const light = 0.2126 * linear[r]! + 0.7152 * linear[g]! + 0.0722 * linear[b]!;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
}
