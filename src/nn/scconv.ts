import { ScconvError } from "../base/errors.js";
import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { add, conv } from "../ops/emit.js";
import { type CruParameters, type CruSettings, cru, cruDefaults, cruParameters, cruWidths } from "./cru.js";
import { heNormal } from "./init.js";
import { shrink } from "./layers.js";
import {
  checkSru,
  type SruParameters,
  type SruSettings,
  sru,
  sruDefaults,
  sruHalves,
  sruParameters,
} from "./sru.js";

/** Which units, in which order (paper, Table 1); `s` keeps the standard convolution after the SRU. */
export type Order = "sc" | "cs" | "parallel" | "s" | "c";

export interface ScconvSettings extends SruSettings, CruSettings {
  readonly order: Order;
  readonly stride: number;
}

export const scconvDefaults: ScconvSettings = { ...sruDefaults, ...cruDefaults, order: "sc", stride: 1 };

export interface ScconvParameters {
  readonly sru?: SruParameters | undefined;
  readonly cru?: CruParameters | undefined;
  /** The standard convolution of order `s`, (C_out, C, k, k). */
  readonly conv?: Value | undefined;
}

/** Refuses what SPEC.md refuses, before anything is built. */
export function checkScconv(input: number, output: number, settings: ScconvSettings, layer: string): void {
  const { order } = settings;
  if (order !== "c") checkSru(order === "cs" ? output : input, settings, layer);
  if (order !== "s") cruWidths(input, output, settings, layer);
  if (order === "parallel" && input !== output) {
    throw new ScconvError(
      "bad-setting",
      "SCConv: order parallel adds input-width and output-width features",
      {
        where: layer,
        got: `${input} → ${output} channels`,
        need: "equal widths",
      },
    );
  }
}

/** Fresh parameters under the current scope, in the order in which they are used. */
export function scconvParameters(
  x: Value,
  output: number,
  settings: ScconvSettings,
  random: Random,
): ScconvParameters {
  const input = x.shape[1] as number;
  checkScconv(input, output, settings, x.builder.scoped("scconv"));
  const { order, kernel } = settings;
  const gateWidth = order === "cs" ? output : input;
  return {
    sru: order === "c" ? undefined : sruParameters(x, gateWidth, settings),
    cru: order === "s" ? undefined : cruParameters(x, output, settings, random),
    conv:
      order === "s"
        ? x.builder.parameter("conv.weight", heNormal(random, [output, input, kernel, kernel], x.dtype))
        : undefined,
  };
}

/**
 * SCConv (Li et al., CVPR 2023): in place of a k×k convolution of stride s. x (N, C, H, W) → (N, C_out, ⌈H/s⌉, ⌈W/s⌉).
 * Purification is at full resolution; with s > 1 what follows it works on average-pooled features.
 */
export function scconv(x: Value, parameters: ScconvParameters, settings: ScconvSettings): Value {
  const { order, stride, kernel, dilation } = settings;
  const purify = (v: Value) => sru(v, parameters.sru!, settings);
  const squeeze = (v: Value | readonly Value[]) => cru(v, parameters.cru!, settings);
  const reduce = (v: Value) => shrink(v, stride);
  switch (order) {
    case "sc":
      return squeeze(sruHalves(x, parameters.sru!, settings).map(reduce));
    case "cs":
      return purify(squeeze(reduce(x)));
    case "c":
      return squeeze(reduce(x));
    case "parallel":
      return add(reduce(purify(x)), squeeze(reduce(x)));
    case "s": {
      const pad = dilation * Math.floor(kernel / 2);
      return conv(purify(x), parameters.conv!, undefined, {
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        dilations: [dilation, dilation],
      });
    }
  }
}
