import type { Command } from "commander";
import { ScconvError } from "../../base/errors.js";
import { dataFlags } from "../data-flags.js";

/** Where a command's images come from: files, or the evaluation split of a data set. */
export interface ImageFlags {
  readonly image?: readonly string[];
  readonly data?: string;
  readonly normalize?: string;
  readonly size?: number;
  readonly crop?: number;
  readonly limit?: number;
}

/** Enough for figures of the layers of usual networks to settle. */
export const USUAL_IMAGES = 256;

export const imageFlags = (c: Command, { size }: { readonly size?: string } = {}): Command =>
  dataFlags(
    c.option(
      "--image <file...>",
      `images (or .npy arrays of the input's shape) to measure on; or --data, of whose evaluation split the first --limit (default: ${USUAL_IMAGES}) are taken`,
    ),
    { required: false, ...(size === undefined ? {} : { size }) },
  );

/** Whether images were given; throws `usage` where they were given twice. */
export function givesImages({ image, data }: ImageFlags): boolean {
  if (image !== undefined && data !== undefined)
    throw new ScconvError("usage", "give --image or --data, not both");
  return image !== undefined || data !== undefined;
}
