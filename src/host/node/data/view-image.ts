import type { Sharp } from "sharp";
import { evaluationView } from "../../../data/resized-crop.js";
import type { ImageView } from "../../../data/view-pixels.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * The view as steps of sharp. Crops are resampled by a triangle as wide as the reduction asks, which is what Pillow (and
 * so torchvision) calls bilinear; without crops by Lanczos' filter.
 */
export async function viewed(
  view: ImageView | undefined,
  upright: () => Promise<Size>,
): Promise<(image: Sharp) => Sharp> {
  if (!view) return (image) => image;
  if ("part" in view) {
    const { height, width } = view;
    const box = view.part(await upright());
    return (image) => image.extract(box).resize(width, height, { fit: "fill", kernel: "linear" });
  }
  const { size, crop } = view;
  if (crop === undefined || crop === 1) {
    return (image) => image.resize(size, size, { fit: "cover", position: "centre" });
  }
  const { height, width, box } = evaluationView(await upright(), size, crop);
  return (image) => image.resize(width, height, { fit: "fill", kernel: "linear" }).extract(box);
}
