import type { Graph } from "../graph/ir.js";
import { cruNames } from "../nn/cru.js";
import type { PlacedUnit } from "../nn/placed-unit.js";
import { type ScconvSettings, scconvDefaults } from "../nn/scconv.js";
import { type ConvUnit, convUnit } from "../nn/units.js";
import { fitGroups } from "../surgery/fit-groups.js";

/** SCConv whose group counts become, layer by layer, divisors of its widths, where they are none. */
export const adaptedUnit =
  (unit: Partial<ScconvSettings>, onAdapted: (layer: string, what: string) => void): ConvUnit =>
  (x, out, name, random, shape) => {
    const { settings, adapted } = fitGroups([x.shape[1] as number, out], { ...scconvDefaults, ...unit });
    for (const what of adapted) onAdapted(x.builder.scoped(name), what);
    const { groups, convGroups } = settings;
    return convUnit("scconv", { ...unit, groups, convGroups })(x, out, name, random, shape);
  };

/** The settings of a unit that stands in a graph, adapted as they were when it was built. */
export function adaptedSettings({ initializers }: Graph, { name, settings }: PlacedUnit): ScconvSettings {
  const dims = (parameter: string) => initializers.get(`${name}.${parameter}`)!.dims;
  const input = dims(cruNames.squeezeUp)[1]! + dims(cruNames.squeezeLow)[1]!;
  return fitGroups([input, dims(cruNames.gwc)[0]!], settings).settings;
}
