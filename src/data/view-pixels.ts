import type { DecodedImage } from "./data-set.js";
import { resample } from "./resample.js";
import { type Box, type EvaluationView, evaluationView } from "./resized-crop.js";

/** Draws a part of an image whose upright size is given. */
export type DrawBox = (size: { readonly height: number; readonly width: number }) => Box;

/**
 * Either the image covering size × size, from its centre (with `crop` as `evaluationView` has it), or a part of it
 * brought to height × width.
 */
export type ImageView =
  | { readonly size: number; readonly crop?: number | undefined }
  | { readonly part: DrawBox; readonly height: number; readonly width: number };

/** The view of a decoded image. Filters as libvips has them on Node: a triangle for crops, else Lanczos'. */
export function viewPixels(image: DecodedImage, view: ImageView | undefined): DecodedImage {
  if (!view) return image;
  const whole = { top: 0, left: 0, height: image.height, width: image.width };
  if ("part" in view) return resample(image, view.part(image), view, "triangle");
  const { size, crop = 1 } = view;
  if (crop === 1 && image.height === size && image.width === size) return image;
  const { height, width, box } = crop === 1 ? cover(image, size) : evaluationView(image, size, crop);
  return cut(resample(image, whole, { height, width }, crop === 1 ? "lanczos3" : "triangle"), box);
}

/** The shorter side as `size`, and the centre of the longer one, rounded as sharp rounds. */
function cover({ height, width }: DecodedImage, size: number): EvaluationView {
  const scale = size / Math.min(height, width);
  const resized = { height: Math.round(height * scale), width: Math.round(width * scale) };
  const middle = (length: number) => Math.floor((length - size + 1) / 2);
  const box = { top: middle(resized.height), left: middle(resized.width), height: size, width: size };
  return { ...resized, box };
}

function cut({ data, width, channels }: DecodedImage, box: Box): DecodedImage {
  const row = box.width * channels;
  const out = new Uint8Array(box.height * row);
  for (let y = 0; y < box.height; y++) {
    const from = ((box.top + y) * width + box.left) * channels;
    out.set(data.subarray(from, from + row), y * row);
  }
  return { data: out, height: box.height, width: box.width, channels };
}
