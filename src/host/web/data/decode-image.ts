import { ScconvError } from "../../../base/errors.js";
import type { DecodedImage } from "../../../data/data-set.js";
import { fromRgba } from "../../../data/from-rgba.js";
import { type ImageHeader, imageHeader, isImage } from "../../../data/image-header.js";
import { type ImageView, viewPixels } from "../../../data/view-pixels.js";

/** Of an image's header, before anything is decoded: far above any camera, far below memory. */
const mostPixels = 2 ** 27;

/** Where headers end, but for those of a few photographs. */
const headerBytes = 2 ** 18;

/** `channels`: grey or RGB, else the image's own. `view`: which part of it, at what size; else all of it as it is. */
export interface DecodeOptions {
  readonly channels?: 1 | 3 | undefined;
  readonly view?: ImageView | undefined;
}

/**
 * One image file, decoded by the browser off this thread. JPEG, PNG or WebP comes out upright, as 8-bit sRGB or grey without
 * alpha; sizes are changed by our own filters, so that browsers agree. Throws `bad-input`, naming `where`.
 */
export async function decodeImage(
  blob: Blob,
  where: string,
  { channels, view }: DecodeOptions = {},
): Promise<DecodedImage> {
  const header = await probeImage(blob, where);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch (cause) {
    throw corrupt(where, cause);
  }
  try {
    const { width, height } = bitmap;
    // Whoever reads pixels back wants them where JavaScript is, not on the GPU.
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return viewPixels(fromRgba(data, height, width, channels ?? (header.grey ? 1 : 3)), view);
  } catch (cause) {
    throw cause instanceof ScconvError ? cause : corrupt(where, cause);
  } finally {
    bitmap.close();
  }
}

/** What its header says, checked before it is decoded. Throws `bad-input`. */
export async function probeImage(blob: Blob, where: string): Promise<ImageHeader> {
  const start = await bytesOf(blob.slice(0, headerBytes), where);
  if (!isImage(start)) {
    const got = Array.from(start.subarray(0, 4), (b) => b.toString(16).padStart(2, "0")).join("");
    throw new ScconvError("bad-input", "not an image", {
      where,
      got: got || "an empty file",
      need: "a JPEG, PNG or WebP file",
    });
  }
  const header = imageHeader(start) ?? imageHeader(await bytesOf(blob, where));
  if (!header) throw corrupt(where, "there is no size in its header");
  if (header.height * header.width > mostPixels) {
    throw new ScconvError("bad-input", "image is too large", { where, need: `at most ${mostPixels} pixels` });
  }
  return header;
}

async function bytesOf(blob: Blob, where: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new ScconvError("io", "cannot read the image", { where, got: textOf(cause), cause });
  }
}

const corrupt = (where: string, cause: unknown): ScconvError =>
  new ScconvError("bad-input", "image is corrupt", { where, got: textOf(cause), cause });

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
