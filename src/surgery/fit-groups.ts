import type { ScconvSettings } from "../nn/scconv.js";

/** Group counts that do not divide a width become the largest divisor below; reported, not refused. */
export function fitGroups(
  [input, output]: readonly [number, number],
  settings: ScconvSettings,
): { settings: ScconvSettings; adapted: string[] } {
  const adapted: string[] = [];
  const fit = (name: string, wanted: number, ...widths: number[]): number => {
    let g = wanted;
    while (g > 1 && widths.some((w) => w % g !== 0)) g--;
    if (g !== wanted) adapted.push(`${name} ${wanted} → ${g}`);
    return g;
  };
  const upper = Math.floor(settings.alpha * input);
  const gateWidth = settings.order === "cs" ? output : input;
  const groups = settings.order === "c" ? settings.groups : fit("groups", settings.groups, gateWidth);
  const squeezed = upper / settings.squeeze;
  const convGroups =
    settings.order === "s" || !Number.isInteger(squeezed)
      ? settings.convGroups
      : fit("conv-groups", settings.convGroups, squeezed, output);
  return { settings: { ...settings, groups, convGroups }, adapted };
}
