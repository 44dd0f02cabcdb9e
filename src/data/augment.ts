import { Random } from "../base/random.js";
import { changeColors, drawJitter } from "./color-jitter.js";
import type { Augment } from "./data-set.js";
import { type Box, drawCrop } from "./resized-crop.js";

/** The recipe of the CIFAR papers (He et al. 2016, section 4.2): 4 pixels of border, crop, mirror. */
export const padCropFlip: Augment = { pad: 4, flip: true };

/** Where the crop starts relative to the image (−pad … pad), and whether it is mirrored. */
export interface View {
  readonly dy: number;
  readonly dx: number;
  readonly flip: boolean;
}

export const wholeImage: View = { dy: 0, dx: 0, flip: false };

/** The view of the image at position `index` in this epoch, whatever batch or worker it falls to. */
export function drawView(augment: Augment | undefined, seed: number, epoch: number, index: number): View {
  if (!augment) return wholeImage;
  const { pad, flip } = augment;
  const random = new Random(seed, epoch, index);
  const dy = random.int(2 * pad + 1) - pad;
  const dx = random.int(2 * pad + 1) - pad;
  return { dy, dx, flip: random.next() < 0.5 && flip };
}

/** Streams of random numbers beside that of the view: what one of them draws does not move another. */
const streams = { crop: 1, jitter: 2 } as const;

/** The part that is cut from the stored image at position `index` in this epoch, once its size is known. */
export function cropDrawer(
  augment: Augment | undefined,
  seed: number,
  epoch: number,
  index: number,
): ((size: { readonly height: number; readonly width: number }) => Box) | undefined {
  const crop = augment?.resizedCrop;
  return crop && ((size) => drawCrop(new Random(seed, epoch, index, streams.crop), size, crop));
}

/** The image with its colours changed, as a copy; the image itself where nothing changes. */
export function jittered(
  pixels: Uint8Array,
  channels: 1 | 3,
  augment: Augment | undefined,
  [seed, epoch, index]: readonly [seed: number, epoch: number, index: number],
): Uint8Array {
  if (!augment?.jitter) return pixels;
  const changes = drawJitter(new Random(seed, epoch, index, streams.jitter), augment.jitter);
  const changed = Uint8Array.from(pixels);
  changeColors(changed, channels, changes);
  return changed;
}
