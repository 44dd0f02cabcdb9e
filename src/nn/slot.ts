import { ScconvError } from "../base/errors.js";
import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import type { Initializer } from "./init.js";

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

/** Refuses a setting of a unit, naming the layer that is under construction, the setting, its value and what would be valid. */
export const badSetting = (unit: string, x: Value, setting: string, got: number | string, need: string) =>
  new ScconvError("bad-setting", `${unit}: ${setting} does not fit`, {
    where: x.builder.scoped(""),
    got: `${got}`,
    need,
  });

/** The first ⌊αC⌋ channels and the rest, neither of them empty. */
export function shareOf(unit: string, x: Value, channels: number, alpha: number): [number, number] {
  if (!(alpha > 0 && alpha < 1)) throw badSetting(unit, x, "alpha", alpha, "a number between 0 and 1");
  const first = Math.floor(alpha * channels);
  if (first === 0) {
    throw badSetting(unit, x, "alpha", alpha, `at least ${1 / channels} for ${channels} channels`);
  }
  return [first, channels - first];
}
