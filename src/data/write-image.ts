import type { View } from "./augment.js";
import type { ImageShape } from "./data-set.js";

/**
 * Crop, mirror, normalise and HWC → CHW in one pass over the output.
 *
 * `pixels` at `from`: (H, W, C) bytes; `out` at `to`: (C, H, W) floats; `table`: of `normalizeTable`. Outside the
 * image is black: the border is laid before normalisation, as torchvision's recipes do.
 */
export function writeImage(
  pixels: Uint8Array,
  from: number,
  { height, width, channels }: ImageShape,
  table: Float32Array,
  { dy, dx, flip }: View,
  out: Float32Array,
  to: number,
): void {
  const step = flip ? -channels : channels;
  // Columns x of the output whose source column x + dx lies inside; mirroring swaps the two sides.
  const low = Math.min(width, Math.max(0, -dx));
  const high = Math.max(low, Math.min(width, width - dx));
  const first = flip ? width - high : low;
  const end = flip ? width - low : high;
  const start = flip ? high - 1 + dx : low + dx;
  for (let c = 0; c < channels; c++) {
    const base = c * 256;
    const black = table[base]!;
    for (let y = 0; y < height; y++) {
      const row = to + (c * height + y) * width;
      const sourceY = y + dy;
      if (sourceY < 0 || sourceY >= height) {
        out.fill(black, row, row + width);
        continue;
      }
      if (first > 0) out.fill(black, row, row + first);
      let source = from + (sourceY * width + start) * channels + c;
      for (let x = row + first; x < row + end; x++, source += step) out[x] = table[base + pixels[source]!]!;
      if (end < width) out.fill(black, row + end, row + width);
    }
  }
}
