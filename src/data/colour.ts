/** Conversions of bytes as Pillow makes them (ITU-R 601-2 luma; colorsys' HSV with every channel in a byte). */

export const luma = (r: number, g: number, b: number): number =>
  (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;

const f = Math.fround;
const byte = (v: number): number => Math.min(255, Math.max(0, v));

/** The pixel at `from`, into `hsv`. */
export function rgbToHsv(pixels: Uint8Array, from: number, hsv: Uint8Array): void {
  const [r, g, b] = [pixels[from]!, pixels[from + 1]!, pixels[from + 2]!];
  const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)];
  hsv[2] = high;
  if (high === low) {
    hsv[0] = hsv[1] = 0;
    return;
  }
  const range = high - low;
  const [rc, gc, bc] = [f((high - r) / range), f((high - g) / range), f((high - b) / range)];
  const sector = r === high ? f(bc - gc) : g === high ? f(2 + rc - bc) : f(4 + gc - rc);
  const h = f((sector / 6 + 1) % 1);
  hsv[0] = byte(Math.trunc(h * 255));
  hsv[1] = byte(Math.trunc(f(range / high) * 255));
}

/** `hsv` into the pixel at `to`. */
export function hsvToRgb(hsv: Uint8Array, pixels: Uint8Array, to: number): void {
  const [h, s, v] = [hsv[0]!, hsv[1]!, hsv[2]!];
  if (s === 0) {
    pixels.fill(v, to, to + 3);
    return;
  }
  const turned = f((h * 6) / 255);
  const i = Math.floor(turned);
  const part = f(turned - i);
  const share = f(s / 255);
  const p = byte(Math.round(v * (1 - share)));
  const q = byte(Math.round(v * (1 - share * part)));
  const t = byte(Math.round(v * (1 - share * (1 - part))));
  const [r, g, b] = sectors[i % 6]!(v, p, q, t);
  pixels[to] = r;
  pixels[to + 1] = g;
  pixels[to + 2] = b;
}

type Rgb = readonly [number, number, number];
const sectors: readonly ((v: number, p: number, q: number, t: number) => Rgb)[] = [
  (v, p, _, t) => [v, t, p],
  (v, p, q) => [q, v, p],
  (v, p, _, t) => [p, v, t],
  (v, p, q) => [p, q, v],
  (v, p, _, t) => [t, p, v],
  (v, p, q) => [v, p, q],
];
