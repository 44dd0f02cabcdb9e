import { type CruSettings, cruDefaults } from "./cru.js";
import { conv } from "./layers.js";
import { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "./scconv.js";
import type { ConvUnit } from "./slot.js";
import { type SruSettings, sruDefaults } from "./sru.js";

/** The convolution itself. */
export const standardUnit: ConvUnit = (x, out, name, random, shape) => conv(x, out, name, random, shape);

/** SCConv (Li et al., CVPR 2023) in any order of its two units. */
export const scconvUnit =
  (settings: Partial<ScconvSettings> = {}): ConvUnit =>
  (x, out, name, random, { kernel, stride, dilation = 1 }) =>
    x.builder.scope(name, () => {
      const all = { ...scconvDefaults, ...settings, kernel, stride, dilation };
      return scconv(x, scconvParameters(x, out, all, random), all);
    });

export type SruUnitSettings = SruSettings;
export const sruUnitDefaults: SruUnitSettings = sruDefaults;

/** The spatial unit alone, before the standard convolution: row "+S" of the paper's table 1. */
export const sruUnit = (settings: Partial<SruUnitSettings> = {}): ConvUnit =>
  scconvUnit({ ...settings, order: "s" });

/** What a slot does not say of a CRU. */
export type CruUnitSettings = Omit<CruSettings, "kernel" | "dilation">;
const { kernel: _kernel, dilation: _dilation, ...rest } = cruDefaults;
export const cruUnitDefaults: CruUnitSettings = rest;

/** The channel unit alone: row "+C" of the paper's table 1. */
export const cruUnit = (settings: Partial<CruUnitSettings> = {}): ConvUnit =>
  scconvUnit({ ...settings, order: "c" });
