import type { Random } from "../base/random.js";

/** A random part of the image, brought to the batch's size (Szegedy et al. 2015); as torchvision's RandomResizedCrop. */
export interface ResizedCrop {
  /** Least and greatest share of the image's area. */
  readonly scale: readonly [low: number, high: number];
  /** Least and greatest width : height, drawn evenly on a logarithmic scale. */
  readonly ratio: readonly [low: number, high: number];
}

export const imagenetCrop: ResizedCrop = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] };

/** In pixels of the upright image. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const ATTEMPTS = 10;

/** Ten attempts to draw a part that lies inside an image of height × width, then its centre within the ratio's bounds. */
export function drawCrop(
  random: Random,
  { height, width }: { readonly height: number; readonly width: number },
  { scale, ratio }: ResizedCrop,
): Box {
  const area = height * width;
  for (let i = 0; i < ATTEMPTS; i++) {
    const target = area * random.uniform(...scale);
    const aspect = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(target * aspect));
    const h = Math.round(Math.sqrt(target / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { top: random.int(height - h + 1), left: random.int(width - w + 1), height: h, width: w };
    }
  }
  const own = width / height;
  const w = own > ratio[1] ? Math.round(height * ratio[1]) : width;
  const h = own < ratio[0] ? Math.round(width / ratio[0]) : height;
  return centre({ height, width }, { height: h, width: w });
}

export interface EvaluationView {
  /** What the image is resized to first. */
  readonly height: number;
  readonly width: number;
  /** What is kept of it. */
  readonly box: Box;
}

/**
 * The usual view for evaluation: the shorter side resized to size/share (224/0.875 = 256), and the centre of it, size ×
 * size. Roundings as torchvision's Resize and CenterCrop have them.
 */
export function evaluationView(
  { height, width }: { readonly height: number; readonly width: number },
  size: number,
  share: number,
): EvaluationView {
  const short = Math.round(size / share);
  const long = Math.trunc((short * Math.max(height, width)) / Math.min(height, width));
  const resized = height < width ? { height: short, width: long } : { height: long, width: short };
  return { ...resized, box: centre(resized, { height: size, width: size }) };
}

function centre(
  { height, width }: { height: number; width: number },
  kept: { readonly height: number; readonly width: number },
): Box {
  return { top: Math.floor((height - kept.height) / 2), left: Math.floor((width - kept.width) / 2), ...kept };
}
