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
  half_pixel_symmetric: (x, { scale, from, to }) =>
    (from / 2) * (1 - to / (scale * from)) + (x + 0.5) / scale - 0.5,
};

const roundings: Readonly<Record<string, (x: number) => number>> = {
  round_prefer_floor: (x) => Math.ceil(x - 0.5),
  round_prefer_ceil: (x) => Math.floor(x + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Interpolation along one axis is a linear map, whatever the mode. */
export function interpolation(s: Interpolation): Weights {
  const place = known(places, s.place);
  const inside = (i: number) => Math.min(s.from - 1, Math.max(0, i));
  const weigh = known(modes, s.mode);
  return Array.from({ length: s.to }, (_, k) => weigh(place(k, s), s, inside));
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
      const a = s.cubic;
      const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
      const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
      const terms = [far(1 + t), near(t), near(1 - t), far(2 - t)].map((w, i) => [low - 1 + i, w] as const);
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
