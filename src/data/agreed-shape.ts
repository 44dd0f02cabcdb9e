import { ScconvError } from "../base/errors.js";
import type { ImageShape } from "./data-set.js";

/** What the header of an image says. */
export interface Probed {
  /** For messages. */
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Images whose headers are read before anything else, spread over each split: most disagreements show at once. */
const PROBES = 16;

/** Which images of so many are probed. */
export function probedIndices(length: number): number[] {
  const n = Math.min(PROBES, length);
  return Array.from({ length: n }, (_, i) => Math.floor((i * length) / n));
}

/**
 * The shape of the batches: `size` × `size`, else the size that all images have; `channels`, else grey only where all
 * are grey. Throws `bad-input` with `hint` where the images, or the splits, disagree.
 */
export function agreedShape(
  found: readonly Probed[],
  { size, channels }: { size?: number | undefined; channels?: 1 | 3 | undefined },
  hint: string,
): ImageShape {
  const first = found[0]!;
  const other = found.find((p) => p.height !== first.height || p.width !== first.width);
  if (size === undefined && other) {
    throw new ScconvError("bad-input", "images differ in size", {
      where: other.name,
      got: `${other.width}×${other.height}`,
      need: `${first.width}×${first.height} as ${first.name}`,
      hint,
    });
  }
  return {
    height: size ?? first.height,
    width: size ?? first.width,
    channels: channels ?? (found.every((p) => p.channels === 1) ? 1 : 3),
  };
}
