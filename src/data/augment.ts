import { Random } from "../base/random.js";
import type { Augment } from "./data-set.js";

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
