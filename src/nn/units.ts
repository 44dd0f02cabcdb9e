import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { conv } from "./layers.js";
import { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "./scconv.js";

/** What stands where a backbone has a k×k convolution: x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉), parameters under `name`. */
export type ConvUnit = (
  x: Value,
  out: number,
  name: string,
  random: Random,
  shape: { kernel: number; stride: number },
) => Value;

export const standardUnit: ConvUnit = (x, out, name, random, shape) => conv(x, out, name, random, shape);

export const scconvUnit =
  (settings: Partial<ScconvSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride }) =>
    x.builder.scope(name, () => {
      const all = { ...scconvDefaults, ...settings, kernel, stride };
      return scconv(x, scconvParameters(x, out, all, random), all);
    });

/** The units that `--conv` names. */
export const convUnits = {
  standard: (_settings?: Partial<ScconvSettings>) => standardUnit,
  scconv: scconvUnit,
} as const;

export type ConvUnitName = keyof typeof convUnits;
