import sharp from "sharp";
import type { Maps } from "../../features/observe.js";

/** Each map over its own range, or all over the layer's. */
export type Scale = "map" | "common";
export const scales = ["map", "common"] as const satisfies readonly Scale[];

/** A picture of maps in rows, as PNG; grey, black the least value and white the largest. */
export interface Mosaic {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Of one map, in pixels. */
  readonly tile: { readonly width: number; readonly height: number };
  /** Top left corner of a map. */
  at(map: number): readonly [x: number, y: number];
}

export interface MosaicOptions {
  readonly scale: Scale;
  readonly columns: number;
  /** Longest side of a tile: maps are enlarged by whole factors up to it (pixels stay pixels), or reduced to it. */
  readonly side: number;
  /** Between tiles, and to the right of and below them. */
  readonly gap: readonly [x: number, y: number];
  /** Only the first so many maps. */
  readonly most?: number;
}

const PAPER = 255;

export async function mosaic(
  maps: Maps,
  { scale, columns, side, gap, most }: MosaicOptions,
): Promise<Mosaic> {
  const { height: h, width: w } = maps;
  const count = Math.min(maps.maps, most ?? maps.maps);
  const longest = Math.max(h, w);
  const factor = longest <= side ? Math.floor(side / longest) : side / longest;
  const tile = { width: Math.max(1, Math.round(w * factor)), height: Math.max(1, Math.round(h * factor)) };
  const at = (m: number): [number, number] => [
    (m % columns) * (tile.width + gap[0]),
    Math.floor(m / columns) * (tile.height + gap[1]),
  ];
  const width = Math.min(columns, count) * (tile.width + gap[0]);
  const height = Math.ceil(count / columns) * (tile.height + gap[1]);
  const canvas = Buffer.alloc(width * height, PAPER);
  const common = scale === "common" ? rangeOf(maps.values, 0, maps.maps * h * w) : undefined;
  for (let m = 0; m < count; m++) {
    const grey = greyOf(maps, m, common);
    const kernel = factor >= 1 ? "nearest" : "linear";
    const pixels = await sharp(grey, { raw: { width: w, height: h, channels: 1 } })
      .resize(tile.width, tile.height, { fit: "fill", kernel })
      .toColourspace("b-w")
      .raw()
      .toBuffer();
    const [x, y] = at(m);
    for (let row = 0; row < tile.height; row++) {
      canvas.set(pixels.subarray(row * tile.width, (row + 1) * tile.width), (y + row) * width + x);
    }
  }
  const png = await sharp(canvas, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  return { png, width, height, tile, at };
}

/** A map's values as 0 … 255; one value everywhere is black. */
function greyOf({ values, height, width }: Maps, map: number, common?: readonly [number, number]): Buffer {
  const size = height * width;
  const [low, high] = common ?? rangeOf(values, map * size, (map + 1) * size);
  const slope = high > low ? 255 / (high - low) : 0;
  return Buffer.from(
    Uint8Array.from({ length: size }, (_, p) => Math.round((values[map * size + p]! - low) * slope)),
  );
}

export function rangeOf(values: ArrayLike<number>, from: number, to: number): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = from; k < to; k++) {
    low = Math.min(low, values[k]!);
    high = Math.max(high, values[k]!);
  }
  return [low, high];
}
