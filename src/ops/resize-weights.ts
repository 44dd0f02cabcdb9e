import { ScconvError } from "../base/errors.js";

/** For each output position, the input positions that it is made of and their weights. */
export type Weights = readonly (readonly (readonly [at: number, weight: number])[])[];

export interface Interpolation {
  readonly mode: string;
  /** Where output pixels lie among the input's (`coordinate_transformation_mode`). */
  readonly place: string;
  readonly rounding: string;
  readonly cubic: number;
  readonly excludeOutside: boolean;
  /** Shrinking averages over all pixels that fall together. */
  readonly antialias: boolean;
  /** tf_crop_and_resize: the part of the axis that is shown, in lengths of it. */
  readonly region?: readonly [start: number, end: number] | undefined;
  readonly scale: number;
  readonly from: number;
  readonly to: number;
}

type Place = (x: number, s: Interpolation) => number;

const places: Readonly<Record<string, Place>> = {
  half_pixel: (x, { scale }) => (x + 0.5) / scale - 0.5,
  pytorch_half_pixel: (x, { scale, to }) => (to > 1 ? (x + 0.5) / scale - 0.5 : 0),
  align_corners: (x, { from, to }) => (to === 1 ? 0 : (x * (from - 1)) / (to - 1)),
  asymmetric: (x, { scale }) => x / scale,
  tf_crop_and_resize: (x, { from, to, region = [0, 1] }) => {
    const [start, end] = region;
    return to > 1
      ? start * (from - 1) + (x * (end - start) * (from - 1)) / (to - 1)
      : 0.5 * (start + end) * (from - 1);
  },
  half_pixel_symmetric: (x, { scale, from, to }) =>
    (from / 2) * (1 - to / (scale * from)) + (x + 0.5) / scale - 0.5,
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Interpolation along one axis is a linear map, whatever the mode. Outside a cropped axis there are no terms. */
export function interpolation(s: Interpolation): Weights {
  const place = known(places, s.place);
  const inside = (i: number) => Math.min(s.from - 1, Math.max(0, i));
  const smooth = s.antialias && s.scale < 1 && s.mode !== "nearest";
  const weigh = smooth ? averaging : known(modes, s.mode);
  const cropped = s.place === "tf_crop_and_resize";
  return Array.from({ length: s.to }, (_, k) => {
    const x = place(k, s);
    return cropped && (x < 0 || x > s.from - 1) ? [] : weigh(x, s, inside);
  });
}

/** Keys' cubic at distance d. */
function keys(d: number, a: number): number {
  if (d >= 2) return 0;
  return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

/** The filter is as wide as the pixels that fall together; beyond the image lies its edge, or nothing. It sums to 1. */
function averaging(x: number, s: Interpolation, inside: (i: number) => number): Terms {
  const reach = (s.mode === "cubic" ? 2 : 1) / s.scale;
  const filter = (d: number) => (s.mode === "cubic" ? keys(d, s.cubic) : Math.max(0, 1 - d));
  const terms: [number, number][] = [];
  for (let i = Math.ceil(x - reach); i <= Math.floor(x + reach); i++) {
    if (!s.excludeOutside || inside(i) === i) terms.push([inside(i), filter(Math.abs(i - x) * s.scale)]);
  }
  const total = terms.reduce((sum, [, w]) => sum + w, 0);
  return terms.map(([i, w]) => [i, w / total]);
}

type Terms = readonly (readonly [number, number])[];

const modes: Readonly<Record<string, (x: number, s: Interpolation, inside: (i: number) => number) => Terms>> =
  {
    nearest: (x, s, inside) => [[inside(known(roundings, s.rounding)(x)), 1]],
    linear: (x, s, inside) => {
      const at = Math.min(s.from - 1, Math.max(0, x));
      const low = Math.floor(at);
      const t = at - low;
      return t === 0
        ? [[low, 1]]
        : [
            [low, 1 - t],
            [inside(low + 1), t],
          ];
    },
    // Keys' cubic, over the four neighbours.
    cubic: (x, s, inside) => {
      const low = Math.floor(x);
      const t = x - low;
      const terms = [1 + t, t, 1 - t, 2 - t].map((d, i) => [low - 1 + i, keys(d, s.cubic)] as const);
      if (!s.excludeOutside) return terms.map(([i, w]) => [inside(i), w]);
      const kept = terms.filter(([i]) => inside(i) === i);
      const total = kept.reduce((sum, [, w]) => sum + w, 0);
      return kept.map(([i, w]) => [i, w / total]);
    },
  };

function known<T>(table: Readonly<Record<string, T>>, name: string): T {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!entry)
    throw new ScconvError("unsupported", `Resize by "${name}"`, { need: Object.keys(table).join(", ") });
  return entry;
}
