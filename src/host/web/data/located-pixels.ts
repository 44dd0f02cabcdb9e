import type { DecodedImage } from "../../../data/data-set.js";
import { fromRgba } from "../../../data/from-rgba.js";
import { viewPixels } from "../../../data/view-pixels.js";
import { type DecodeOptions, decodeImage } from "./decode-image.js";
import type { Located } from "./source.js";

/** The pixels of an image of a split, decoded where they are not there already. */
export async function locatedPixels(located: Located, options: DecodeOptions): Promise<DecodedImage> {
  if ("blob" in located) return decodeImage(located.blob, located.name, options);
  const { channels = located.image.channels, view } = options;
  return viewPixels(inChannels(located.image, channels), view);
}

function inChannels(image: DecodedImage, channels: 1 | 3): DecodedImage {
  const { data, height, width, channels: own } = image;
  if (own === channels) return image;
  const rgba = new Uint8Array(height * width * 4);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[i * own + (own === 1 ? 0 : c)]!;
  }
  return fromRgba(rgba, height, width, channels);
}
