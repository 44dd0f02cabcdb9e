import { Tensor } from "../base/tensor.js";
import { wholeImage } from "./augment.js";
import type { DecodedImage, Normalize } from "./data-set.js";
import { imageBytes } from "./data-set.js";
import { normalizeTable } from "./normalize.js";
import { writeImage } from "./write-image.js";

/** An image as a network takes it: (1, C, H, W), (x/255 − mean)/std. Throws `bad-setting` where the normalisation has other channels. */
export function imageTensor(image: DecodedImage, normalize: Normalize): Tensor {
  const out = new Float32Array(imageBytes(image));
  writeImage(image.data, 0, image, normalizeTable(normalize, image.channels), wholeImage, out, 0);
  return Tensor.of("float32", [1, image.channels, image.height, image.width], out);
}
