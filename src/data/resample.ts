import type { DecodedImage } from "./data-set.js";
import type { Box } from "./resized-crop.js";

export type Kernel = "triangle" | "lanczos3";

const kernels: Record<Kernel, { readonly support: number; weight(x: number): number }> = {
  triangle: { support: 1, weight: (x) => 1 - Math.abs(x) },
  lanczos3: { support: 3, weight: (x) => sinc(x) * sinc(x / 3) },
};
const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/**
 * A part of an image at another size, (height, width, C) bytes. The kernel is as wide as the reduction asks, so that nothing is
 * left out: `triangle` is what Pillow, and so torchvision, calls bilinear.
 */
export function resample(
  { data, width: stride, channels }: DecodedImage,
  box: Box,
  { height, width }: { readonly height: number; readonly width: number },
  kernel: Kernel,
): DecodedImage {
  const columns = taps(box.width, width, kernel);
  const rows = taps(box.height, height, kernel);
  // Along rows first: (box.height, width, C).
  const wide = new Float32Array(box.height * width * channels);
  for (let y = 0, to = 0; y < box.height; y++) {
    for (const { from, weights } of columns) {
      const start = ((box.top + y) * stride + box.left + from) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * data[start + k * channels + c]!;
        wide[to++] = sum;
      }
    }
  }
  const out = new Uint8ClampedArray(height * width * channels);
  const step = width * channels;
  for (const [y, { from, weights }] of rows.entries()) {
    for (let x = 0; x < step; x++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * wide[(from + k) * step + x]!;
      out[y * step + x] = sum;
    }
  }
  return { data: new Uint8Array(out.buffer), height, width, channels };
}

/** For every element of `to` the elements of `from` that make it, and their shares. */
function taps(from: number, to: number, name: Kernel): { from: number; weights: number[] }[] {
  const { support, weight } = kernels[name];
  const scale = from / to;
  const stretch = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const low = Math.max(0, Math.round(centre - support * stretch));
    const high = Math.min(from, Math.max(low + 1, Math.round(centre + support * stretch)));
    const weights = Array.from({ length: high - low }, (_, k) => weight((low + k + 0.5 - centre) / stretch));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { from: low, weights: weights.map((w) => w / sum) };
  });
}
