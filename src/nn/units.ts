import { ScconvError } from "../base/errors.js";
import { depthwiseSeparableUnit } from "./depthwise-separable.js";
import { type GhostSettings, ghostDefaults, ghostUnit } from "./ghost.js";
import { type OctConvSettings, octConvDefaults, octConvUnit } from "./octconv.js";
import { type ScconvSettings, scconvDefaults } from "./scconv.js";
import {
  type CruUnitSettings,
  cruUnit,
  cruUnitDefaults,
  type SruUnitSettings,
  scconvUnit,
  sruUnit,
  sruUnitDefaults,
  standardUnit,
} from "./scconv-units.js";
import { type SlimConvSettings, slimConvDefaults, slimConvUnit } from "./slimconv.js";
import type { ConvUnit } from "./slot.js";
import { type SpConvSettings, spConvDefaults, spConvUnit } from "./spconv.js";
import { type TiedConvSettings, tiedConvDefaults, tiedConvUnit } from "./tied-conv.js";

export { scconvUnit, standardUnit } from "./scconv-units.js";
export type { ConvUnit, SlotShape } from "./slot.js";

/** Settings of an SCConv that the slot does not give. */
export type ScconvUnitSettings = Omit<ScconvSettings, "kernel" | "stride" | "dilation">;

/** Settings of all units together. A name that several have means the same for each: a share, a number of groups. */
export type UnitSettings = Partial<
  ScconvUnitSettings & OctConvSettings & SpConvSettings & GhostSettings & SlimConvSettings & TiedConvSettings
>;

/** A unit that may stand in a backbone's slots. */
interface UnitRow<S extends UnitSettings> {
  readonly summary: string;
  /** Paper, and where in it. */
  readonly source: string;
  readonly defaults: S;
  readonly unit: (settings: Partial<S>) => ConvUnit;
}
const row = <S extends UnitSettings>(r: UnitRow<S>): UnitRow<S> => r;

const { kernel: _kernel, stride: _stride, dilation: _dilation, ...scconvUnitDefaults } = scconvDefaults;
const none = {};

/** The units that `--conv` names. */
export const convUnits = {
  standard: row({
    summary: "the k×k convolution itself",
    source: "the backbone's paper",
    defaults: none,
    unit: () => standardUnit,
  }),
  scconv: row<ScconvUnitSettings>({
    summary: "spatial, then channel reconstruction",
    source: "Li, Wen, He, CVPR 2023, figure 1",
    defaults: scconvUnitDefaults,
    unit: scconvUnit,
  }),
  sru: row<SruUnitSettings>({
    summary: "spatial reconstruction before the k×k convolution",
    source: "Li, Wen, He, CVPR 2023, equations 1–6",
    defaults: sruUnitDefaults,
    unit: sruUnit,
  }),
  cru: row<CruUnitSettings>({
    summary: "channel reconstruction alone",
    source: "Li, Wen, He, CVPR 2023, equations 7–10",
    defaults: cruUnitDefaults,
    unit: cruUnit,
  }),
  octconv: row<OctConvSettings>({
    summary: "a share of the channels at half the resolution",
    source: "Chen et al., ICCV 2019, equation 4",
    defaults: octConvDefaults,
    unit: octConvUnit,
  }),
  spconv: row<SpConvSettings>({
    summary: "k×k for a representative share, 1×1 for the rest",
    source: "Zhang et al., IJCAI 2020, figure 3",
    defaults: spConvDefaults,
    unit: spConvUnit,
  }),
  ghost: row<GhostSettings>({
    summary: "few intrinsic maps, depthwise ghosts of them",
    source: "Han et al., CVPR 2020, equations 2–3",
    defaults: ghostDefaults,
    unit: ghostUnit,
  }),
  slimconv: row<SlimConvSettings>({
    summary: "features folded by flipped weights",
    source: "Qiu et al., 2020, arXiv 2003.07469, §3",
    defaults: slimConvDefaults,
    unit: slimConvUnit,
  }),
  tiedconv: row<TiedConvSettings>({
    summary: "one thinner convolution over all blocks of channels",
    source: "Wang, Yu, AAAI 2021, equation 3",
    defaults: tiedConvDefaults,
    unit: tiedConvUnit,
  }),
  "depthwise-separable": row({
    summary: "depthwise k×k, then 1×1",
    source: "Howard et al., MobileNets, 2017, figure 3",
    defaults: none,
    unit: () => depthwiseSeparableUnit,
  }),
} as const;

export type ConvUnitName = keyof typeof convUnits;

export const convUnitNames = Object.keys(convUnits) as readonly ConvUnitName[];

/** The unit of that name. A setting that it does not have is refused: it would change nothing. */
export function convUnit(name: ConvUnitName, settings: UnitSettings = {}): ConvUnit {
  const { defaults, unit }: UnitRow<UnitSettings> = convUnits[name] as unknown as UnitRow<UnitSettings>;
  const other = Object.keys(settings).find((key) => !Object.hasOwn(defaults, key));
  if (other !== undefined) {
    const own = Object.keys(defaults);
    throw new ScconvError("bad-setting", `the unit ${name} has no such setting`, {
      got: other,
      need: own.length > 0 ? own.join(", ") : "none",
    });
  }
  return unit(settings);
}
