import { type Normalize, ScconvError, Tensor } from "scconv";
import type { ImagePlace } from "./image-place.js";

/** (H, W, C) bytes. */
export interface Pixels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/**
 * An image by the browser's own decoder, upright, over black; where the model has a size, the middle of the image reduced to
 * it. One of that size already comes as it is, byte for byte.
 */
export async function readPixels(
  file: Blob,
  { channels, height, width }: Pick<ImagePlace, "channels" | "height" | "width">,
): Promise<Pixels> {
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch((cause) => {
    const where = "name" in file ? String(file.name) : "the image";
    throw new ScconvError("bad-input", "is no image that this browser reads", { where, cause });
  });
  const [h, w] = [height ?? bitmap.height, width ?? bitmap.width];
  const context = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#000";
  context.fillRect(0, 0, w, h);
  const scale = Math.max(w / bitmap.width, h / bitmap.height);
  const [drawnW, drawnH] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (w - drawnW) / 2, (h - drawnH) / 2, drawnW, drawnH);
  bitmap.close();
  const rgba = context.getImageData(0, 0, w, h).data;
  const data = new Uint8Array(h * w * channels);
  for (let p = 0; p < h * w; p++) {
    const [r, g, b] = [rgba[4 * p]!, rgba[4 * p + 1]!, rgba[4 * p + 2]!];
    // ITU-R 601, as libvips and Pillow have it.
    if (channels === 1) data[p] = r === g && g === b ? r : Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    else data.set([r, g, b], 3 * p);
  }
  return { data, height: h, width: w, channels };
}

/** (1, C, H, W), normalised. */
export function toTensor({ data, height, width, channels }: Pixels, { mean, std }: Normalize): Tensor {
  const size = height * width;
  const values = new Float32Array(channels * size);
  for (let c = 0; c < channels; c++) {
    const [m, s] = [mean[c] ?? mean[0]!, std[c] ?? std[0]!];
    for (let p = 0; p < size; p++) values[c * size + p] = (data[p * channels + c]! / 255 - m) / s;
  }
  return Tensor.of("float32", [1, channels, height, width], values);
}
