import sharp from "sharp";
import type { Maps } from "../../features/maps.js";

/** Each map over its own range, or all over the layer's. */
export type Scale = "map" | "common";
export const scales = ["map", "common"] as const satisfies readonly Scale[];

export type Range = readonly [low: number, high: number];

/** A picture of maps in rows, as PNG; grey, black the least value and white the largest, with nothing in the gaps. */
export interface Mosaic {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Of one map, in pixels. */
  readonly tile: { readonly width: number; readonly height: number };
  /** Top left corner of the tile in this place. */
  at(place: number): readonly [x: number, y: number];
}

export interface MosaicOptions {
  readonly columns: number;
  /** Longest side of a tile: maps are enlarged by whole factors up to it (pixels stay pixels), or reduced to it. */
  readonly side: number;
  /** Between tiles, and to the right of and below them. */
  readonly gap: readonly [x: number, y: number];
  /** Which maps, by index; default all. */
  readonly which?: readonly number[];
  /** The values that are black and white in a map. */
  readonly range: (map: number) => Range;
}

const OPAQUE = 255;

export async function mosaic(maps: Maps, options: MosaicOptions): Promise<Mosaic> {
  const { columns, side, gap, range } = options;
  const { height: h, width: w } = maps;
  const which = options.which ?? Array.from({ length: maps.maps }, (_, m) => m);
  const longest = Math.max(h, w);
  const factor = longest <= side ? Math.floor(side / longest) : side / longest;
  const tile = { width: Math.max(1, Math.round(w * factor)), height: Math.max(1, Math.round(h * factor)) };
  const at = (place: number): [number, number] => [
    (place % columns) * (tile.width + gap[0]),
    Math.floor(place / columns) * (tile.height + gap[1]),
  ];
  const width = Math.max(1, Math.min(columns, which.length) * (tile.width + gap[0]));
  const height = Math.max(1, Math.ceil(which.length / columns) * (tile.height + gap[1]));
  // Grey and opacity.
  const canvas = Buffer.alloc(width * height * 2);
  for (const [place, m] of which.entries()) {
    const pixels = resized(greyOf(maps, m, range(m)), { height: h, width: w }, tile);
    const [x, y] = at(place);
    for (let row = 0; row < tile.height; row++) {
      for (let column = 0; column < tile.width; column++) {
        const k = 2 * ((y + row) * width + x + column);
        canvas[k] = pixels[row * tile.width + column]!;
        canvas[k + 1] = OPAQUE;
      }
    }
  }
  const png = await sharp(canvas, { raw: { width, height, channels: 2 } })
    .toColourspace("b-w")
    .png()
    .toBuffer();
  return { png, width, height, tile, at };
}

/** Of a map's own values, or of the whole layer's. */
export function rangeBy(scale: Scale, maps: Maps): (map: number) => Range {
  const size = maps.height * maps.width;
  if (scale === "map") return (m) => rangeOf(maps.values, m * size, (m + 1) * size);
  const common = rangeOf(maps.values, 0, maps.maps * size);
  return () => common;
}

/**
 * One range for several layers of maps: `share` of all values may lie below it, and as many above, so that one loud pixel does
 * not turn everything else into the same grey.
 */
export function sharedRange(layers: readonly Maps[], share: number): Range {
  const all = new Float32Array(layers.reduce((n, l) => n + l.values.length, 0));
  let at = 0;
  for (const { values } of layers) {
    all.set(values, at);
    at += values.length;
  }
  all.sort();
  const cut = Math.floor(share * (all.length - 1));
  return [all[cut]!, all[all.length - 1 - cut]!];
}

/** A map's values as 0 … 255, those outside of the range at its ends; one value everywhere is black. */
function greyOf({ values, height, width }: Maps, map: number, [low, high]: Range): Uint8ClampedArray {
  const size = height * width;
  const slope = high > low ? 255 / (high - low) : 0;
  return Uint8ClampedArray.from({ length: size }, (_, p) => (values[map * size + p]! - low) * slope);
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Each new pixel is the mean of the old ones under it: enlarged by a whole factor, they are themselves. */
function resized(grey: Uint8ClampedArray, from: Size, to: Size): Uint8Array {
  const under = (i: number, old: number, now: number): [number, number] => {
    const first = Math.floor((i * old) / now);
    return [first, Math.max(first + 1, Math.ceil(((i + 1) * old) / now))];
  };
  const columns = Array.from({ length: to.width }, (_, x) => under(x, from.width, to.width));
  const out = new Uint8Array(to.height * to.width);
  for (let y = 0; y < to.height; y++) {
    const [top, bottom] = under(y, from.height, to.height);
    for (const [x, [left, right]] of columns.entries()) {
      let sum = 0;
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) sum += grey[row * from.width + column]!;
      out[y * to.width + x] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return out;
}

export function rangeOf(values: ArrayLike<number>, from: number, to: number): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = from; k < to; k++) {
    low = Math.min(low, values[k]!);
    high = Math.max(high, values[k]!);
  }
  return [low, high];
}
