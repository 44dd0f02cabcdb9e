import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import type { Initializer } from "./init.js";
import { conv } from "./layers.js";
import { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "./scconv.js";

/** The convolution in whose place a unit stands. */
export interface SlotShape {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation?: number;
  /** Of the standard convolution there (ResNeXt); units with a structure of their own do not look at it. */
  readonly groups?: number;
  /** Of the standard convolution there: whether it has a bias (VGG), and how its weights start. */
  readonly bias?: boolean;
  readonly init?: Initializer;
}

/**
 * What stands where a backbone has a convolution: x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉), parameters under `name`.
 * Layers that follow take their width from what it returns: SlimConv gives fewer channels than it is asked for.
 */
export type ConvUnit = (x: Value, out: number, name: string, random: Random, shape: SlotShape) => Value;

export const standardUnit: ConvUnit = (x, out, name, random, shape) => conv(x, out, name, random, shape);

export const scconvUnit =
  (settings: Partial<ScconvSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride, dilation = 1 }) =>
    x.builder.scope(name, () => {
      const all = { ...scconvDefaults, ...settings, kernel, stride, dilation };
      return scconv(x, scconvParameters(x, out, all, random), all);
    });

/** The units that `--conv` names. */
export const convUnits = {
  standard: (_settings?: Partial<ScconvSettings>) => standardUnit,
  scconv: scconvUnit,
} as const;

export type ConvUnitName = keyof typeof convUnits;
