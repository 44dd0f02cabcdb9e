import { readFile } from "node:fs/promises";
import sharp, { type Sharp } from "sharp";
import { type ErrorCode, type ErrorFacts, ScconvError } from "../../../base/errors.js";
import type { DecodedImage, ImageShape } from "../../../data/data-set.js";
import { isImage } from "../../../data/image-header.js";
import type { ImageView } from "../../../data/view-pixels.js";
import { viewed } from "./view-image.js";

// Images are decoded side by side, one in each thread; libvips' own threads would fight with the engine's.
sharp.concurrency(1);
sharp.cache(false);

/** Of an image's header, before anything is decoded: far above any camera, far below memory. */
const mostPixels = 2 ** 27;

/** `channels`: grey or RGB, else the image's own. `view`: which part of it, at what size; else all of it as it is. */
export interface DecodeOptions {
  readonly channels?: 1 | 3 | undefined;
  readonly view?: ImageView | undefined;
}

/** What is wrong with an image; the place is known to the caller. */
export interface DecodeFailure {
  readonly failed: { readonly code: ErrorCode; readonly what: string } & Pick<
    ErrorFacts,
    "got" | "need" | "hint"
  >;
}

/**
 * One image file. JPEG, PNG or WebP of any depth and colour space comes out as upright 8-bit sRGB or grey without
 * alpha. Throws `not-found`, `bad-input`.
 */
export async function decodeImageFile(path: string, options: DecodeOptions = {}): Promise<DecodedImage> {
  const bytes = await readFile(path).catch((cause) => {
    throw new ScconvError("not-found", "cannot read the image", { where: path, got: reason(cause), cause });
  });
  return orThrow(await decodeImage(bytes, options), path);
}

export function orThrow<T>(result: T | DecodeFailure, where: string): T {
  if (typeof result === "object" && result !== null && "failed" in result) {
    const { code, what, ...facts } = result.failed;
    throw new ScconvError(code, what, { where, ...facts });
  }
  return result as T;
}

export function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<DecodedImage | DecodeFailure> {
  return guarded(bytes, async () => {
    const header = () => open(bytes).metadata();
    const channels = options.channels ?? (((await header()).channels ?? 3) < 3 ? 1 : 3);
    const view = await viewed(options.view, async () => (await header()).autoOrient);
    return pixelsOf(open(bytes).autoOrient(), channels, view);
  });
}

/** The size that an image will have upright, and whether it is grey, from its header alone. */
export function probeImage(
  bytes: Uint8Array,
): Promise<{ height: number; width: number; grey: boolean } | DecodeFailure> {
  return guarded(bytes, async () => {
    const { autoOrient, channels } = await open(bytes).metadata();
    return { height: autoOrient.height, width: autoOrient.width, grey: channels < 3 };
  });
}

/** Pixels that are decoded already, brought to another size or number of channels. */
export async function convertPixels(
  pixels: Uint8Array,
  { height, width, channels }: ImageShape,
  options: DecodeOptions & { channels: 1 | 3 },
): Promise<DecodedImage> {
  const image = sharp(Uint8Array.from(pixels), { raw: { width, height, channels } });
  const view = await viewed(options.view, async () => ({ height, width }));
  return pixelsOf(image, options.channels, view);
}

async function pixelsOf(image: Sharp, channels: 1 | 3, view: (image: Sharp) => Sharp): Promise<DecodedImage> {
  const chain = view(image.toColourspace(channels === 1 ? "b-w" : "srgb").removeAlpha());
  const { data, info } = await chain.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  if (info.channels !== channels)
    throw new Error(`${info.channels} channels after conversion to ${channels}`);
  return { data, height: info.height, width: info.width, channels };
}

const open = (bytes: Uint8Array): Sharp => sharp(bytes, { limitInputPixels: mostPixels });

async function guarded<T>(bytes: Uint8Array, decode: () => Promise<T>): Promise<T | DecodeFailure> {
  // Only the formats that we name: libvips would also read SVG, PDF and others that have no place among photographs.
  if (!isImage(bytes)) {
    const start = Buffer.from(bytes.subarray(0, 4)).toString("hex") || "an empty file";
    return {
      failed: { code: "bad-input", what: "not an image", got: start, need: "a JPEG, PNG or WebP file" },
    };
  }
  try {
    return await decode();
  } catch (cause) {
    const got = reason(cause);
    return /pixel limit/.test(got)
      ? { failed: { code: "bad-input", what: "image is too large", need: `at most ${mostPixels} pixels` } }
      : { failed: { code: "bad-input", what: "image is corrupt", got } };
  }
}

const reason = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, " ").trim();
