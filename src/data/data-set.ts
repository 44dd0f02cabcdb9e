import type { ColorJitter } from "./color-jitter.js";
import type { ResizedCrop } from "./resized-crop.js";

/**
 * What the training loop reads images from. How they are stored and decoded is the host's affair; everything random
 * about a batch is a function of (seed, epoch, position in the split).
 */
export interface Split {
  readonly name: "train" | "test";
  readonly length: number;
  /** (length), class indices. */
  readonly labels: Int32Array;
  /** Positions at which the files begin that it is stored in, where it is stored in several; the first is 0. */
  readonly shards?: readonly number[] | undefined;
}

export interface DataSet {
  /** As the user gave it. */
  readonly source: string;
  /** Names, or "0", "1", … where there are none. */
  readonly classes: readonly string[];
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly train: Split | undefined;
  readonly test: Split | undefined;
  /** Throws at once for options that cannot be; errors of single images are thrown by the iteration. */
  batches(split: "train" | "test", options: BatchOptions): AsyncIterable<Batch>;
  /** Ends the workers; iterations under way fail. */
  close(): Promise<void>;
}

export interface BatchOptions {
  batchSize: number;
  normalize: Normalize;
  augment?: Augment;
  /** Or within a buffer of so many images: see `bufferedOrder`. */
  shuffle?: boolean | { readonly buffer: number };
  /** Default 0. */
  seed?: number;
  /** Default 0. */
  epoch?: number;
  /** Leave out an incomplete last batch. */
  dropLast?: boolean;
  /** First batch to deliver: resume in the middle of an epoch. */
  from?: number;
  signal?: AbortSignal;
}

/** How a training image is changed at random, in this order. */
export interface Augment {
  /** A random part of the image as it is stored, in the place of its usual view. */
  resizedCrop?: ResizedCrop | undefined;
  jitter?: ColorJitter | undefined;
  /** Black border of so many pixels, and a random crop back to size. */
  pad: number;
  /** Mirrored left to right in one of two cases. */
  flip: boolean;
}

/** (x/255 − mean)/std, for each channel, or one value for all of them. */
export interface Normalize {
  /** What `parseNormalize` reads back. */
  readonly name: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Its arrays are valid until the next batch is asked for: the memory is used again. */
export interface Batch {
  readonly index: number;
  readonly count: number;
  /** (count, C, H, W) */
  readonly images: Float32Array;
  /** (count) */
  readonly labels: Int32Array;
  /** (count), positions in the split */
  readonly indices: Uint32Array;
}

/** Pixels of one image in memory: (height, width, channels) bytes. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** (H, W, C) bytes. */
export interface DecodedImage extends ImageShape {
  readonly data: Uint8Array;
}

export const imageBytes = ({ height, width, channels }: ImageShape): number => height * width * channels;
