import { ScconvError } from "../base/errors.js";

/** Where a channel's variance, against its mean square, is nothing but rounding of float32. */
const CONSTANT = 1e-14;

/** What a layer's maps were on all images so far. */
export interface Moments {
  readonly maps: number;
  /** Values of one channel: pixels of all images. */
  readonly count: number;
  /** Σ (x_i − x̄_i)(x_j − x̄_j) over all of them, (C, C); only j ≤ i is filled. */
  readonly products: Float64Array;
  /** The largest magnitude of each channel. */
  readonly peak: Float64Array;
  /** Whether each channel has only one value. */
  readonly constant: readonly boolean[];
  /** Values that are exactly 0. */
  readonly zeros: number;
  /** (C, pixels) of each image, while all of them together have fewer pixels than channels; else undefined. */
  readonly samples: readonly Float64Array[] | undefined;
}

export interface MomentsBuilder {
  /** `values` (N, C, H, W) with `pixels` = H·W. Throws `not-finite`. */
  add(values: ArrayLike<number>, pixels: number): void;
  result(): Moments;
}

/**
 * Means and products of channels over images that come one after the other, each centred on its own and merged exactly
 * (Chan, Golub & LeVeque 1979), so that a large common offset does not eat the digits.
 */
export function momentsOf(maps: number, layer: string): MomentsBuilder {
  const products = new Float64Array(maps * maps);
  const means = new Float64Array(maps);
  const squares = new Float64Array(maps);
  const peak = new Float64Array(maps);
  let count = 0;
  let zeros = 0;
  let samples: Float64Array[] | undefined = [];

  const addImage = (image: Float64Array, pixels: number) => {
    if (samples && count + pixels < maps) samples.push(image.slice());
    else samples = undefined;
    const shift = new Float64Array(maps);
    for (let c = 0; c < maps; c++) {
      let sum = 0;
      for (let p = c * pixels; p < (c + 1) * pixels; p++) {
        const v = image[p]!;
        sum += v;
        squares[c]! += v * v;
        if (v === 0) zeros++;
        peak[c] = Math.max(peak[c]!, Math.abs(v));
      }
      if (!Number.isFinite(sum)) {
        throw new ScconvError("not-finite", "a feature map holds values that are not finite", {
          where: layer,
          got: `map ${c}`,
        });
      }
      const mean = sum / pixels;
      for (let p = c * pixels; p < (c + 1) * pixels; p++) image[p]! -= mean;
      shift[c] = mean - means[c]!;
    }
    const weight = (count * pixels) / (count + pixels);
    for (let i = 0; i < maps; i++) {
      for (let j = 0; j <= i; j++) {
        let dot = shift[i]! * shift[j]! * weight;
        for (let p = 0, a = i * pixels, b = j * pixels; p < pixels; p++) dot += image[a + p]! * image[b + p]!;
        products[i * maps + j]! += dot;
      }
    }
    for (let c = 0; c < maps; c++) means[c]! += (shift[c]! * pixels) / (count + pixels);
    count += pixels;
  };

  return {
    add(values, pixels) {
      const size = maps * pixels;
      for (let at = 0; at < values.length; at += size) {
        const image = new Float64Array(size);
        for (let k = 0; k < size; k++) image[k] = values[at + k]!;
        addImage(image, pixels);
      }
    },
    result() {
      const constant = Array.from(squares, (s, c) => products[c * maps + c]! <= CONSTANT * s);
      return { maps, count, products, peak, constant, zeros, samples };
    },
  };
}
