import { ScconvError } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { Tensor } from "../base/tensor.js";
import { Value } from "../graph/builder.js";
import {
  add,
  concat,
  conv,
  globalAveragePool,
  mask,
  mul,
  reshape,
  sigmoid,
  softmax,
  split,
  sub,
} from "../ops/emit.js";
import { filled, lecunUniform } from "./init.js";

/** `pair`: β₁, β₂ by softmax over the two pooled values of a channel; `all`: over all 2·C_out, as the common port does. */
export type Fuse = "pair" | "all";

export interface CruSettings {
  /** Share α of the channels in the upper part, in (0, 1). */
  readonly alpha: number;
  /** Squeeze ratio r. */
  readonly squeeze: number;
  /** Groups g of the k×k group-wise convolution. */
  readonly convGroups: number;
  readonly kernel: number;
  readonly dilation: number;
  readonly fuse: Fuse;
}

export const cruDefaults: CruSettings = {
  alpha: 0.5,
  squeeze: 2,
  convGroups: 2,
  kernel: 3,
  dilation: 1,
  fuse: "pair",
};

export interface CruWidths {
  /** ⌊αC⌋ and C − ⌊αC⌋. */
  readonly upper: number;
  readonly lower: number;
  /** Squeezed widths u and l. */
  readonly u: number;
  readonly l: number;
}

/** The widths of the parts, or a refusal that names the setting and what would be valid. */
export function cruWidths(input: number, output: number, settings: CruSettings, layer: string): CruWidths {
  const { alpha, squeeze: r, convGroups: g, kernel } = settings;
  const bad = (setting: string, got: string | number, need: string) =>
    new ScconvError("bad-setting", `CRU: ${setting} does not fit`, { where: layer, got: `${got}`, need });
  if (!(alpha > 0 && alpha < 1)) throw bad("alpha", alpha, "a number between 0 and 1");
  if (!Number.isInteger(r) || r < 1) throw bad("squeeze", r, "a whole number from 1");
  if (!Number.isInteger(g) || g < 1) throw bad("conv-groups", g, "a whole number from 1");
  if (!Number.isInteger(kernel) || kernel % 2 === 0) throw bad("kernel", kernel, "an odd number");
  const upper = Math.floor(alpha * input);
  const lower = input - upper;
  for (const [name, width] of [
    ["upper part ⌊αC⌋", upper],
    ["lower part C − ⌊αC⌋", lower],
  ] as const) {
    if (width === 0 || width % r !== 0) {
      throw bad(
        `the ${name} with alpha ${alpha}`,
        width,
        `a positive multiple of squeeze ${r} (of ${input} channels)`,
      );
    }
  }
  const u = upper / r;
  const l = lower / r;
  if (u % g !== 0) throw bad("conv-groups", g, `a divisor of the ${u} squeezed upper channels`);
  if (output % g !== 0) throw bad("conv-groups", g, `a divisor of the ${output} output channels`);
  if (l > output) throw bad("the squeezed lower part", l, `at most the ${output} output channels`);
  return { upper, lower, u, l };
}

export interface CruParameters {
  /** (u, ⌊αC⌋, 1, 1). */
  readonly squeezeUp: Value;
  /** (l, C − ⌊αC⌋, 1, 1). */
  readonly squeezeLow: Value;
  /** (C_out, u/g, k, k). */
  readonly gwc: Value;
  /** (C_out). */
  readonly gwcBias: Value;
  /** (C_out, u, 1, 1). */
  readonly pwc1: Value;
  /** (C_out − l, l, 1, 1); absent when l = C_out. */
  readonly pwc2: Value | undefined;
}

export const cruNames = {
  squeezeUp: "cru.squeeze_up.weight",
  squeezeLow: "cru.squeeze_low.weight",
  gwc: "cru.gwc.weight",
  gwcBias: "cru.gwc.bias",
  pwc1: "cru.pwc1.weight",
  pwc2: "cru.pwc2.weight",
} as const satisfies Record<keyof CruParameters, string>;

/** Shapes of the parameters; pwc2's is undefined when it is absent. */
export function cruShapes(input: number, output: number, settings: CruSettings, layer: string) {
  const { upper, lower, u, l } = cruWidths(input, output, settings, layer);
  const k = settings.kernel;
  return {
    squeezeUp: [u, upper, 1, 1],
    squeezeLow: [l, lower, 1, 1],
    gwc: [output, u / settings.convGroups, k, k],
    gwcBias: [output],
    pwc1: [output, u, 1, 1],
    pwc2: l === output ? undefined : [output - l, l, 1, 1],
  };
}

/** Fresh parameters under the current scope, as PyTorch draws them: uniform in ±1/√fan-in. */
export function cruParameters(
  x: Value,
  output: number,
  settings: CruSettings,
  random: Random,
): CruParameters {
  const b = x.builder;
  const shapes = cruShapes(x.shape[1] as number, output, settings, b.scoped("cru"));
  const weight = (key: keyof typeof shapes) =>
    b.parameter(cruNames[key], lecunUniform(random, shapes[key] as number[], x.dtype));
  return {
    squeezeUp: weight("squeezeUp"),
    squeezeLow: weight("squeezeLow"),
    gwc: weight("gwc"),
    gwcBias: b.parameter(cruNames.gwcBias, filled(shapes.gwcBias, 0, x.dtype)),
    pwc1: weight("pwc1"),
    pwc2: shapes.pwc2 ? weight("pwc2") : undefined,
  };
}

/**
 * Channel reconstruction unit (Li et al., CVPR 2023, §3.2, equations 7–10): split, transform, fuse. x (N, C, H, W), whole
 * or in parts by channel, → (N, C_out, H, W), C_out being the first size of `gwc`.
 */
export function cru(x: Value | readonly Value[], parameters: CruParameters, settings: CruSettings): Value {
  const parts = x instanceof Value ? [x] : x;
  const { squeezeUp, squeezeLow, gwc, gwcBias, pwc1 } = parameters;
  const output = gwc.dims[0]!;
  const input = parts.reduce((c, v) => c + (v.shape[1] as number), 0);
  const { upper, lower } = cruWidths(input, output, settings, gwc.builder.scoped("cru"));

  const [up, low] = asParts(parts, [upper, lower]) as [Value, Value];
  const xUp = conv(up, squeezeUp, undefined, {}, "squeeze_up");
  const xLow = conv(low, squeezeLow, undefined, {}, "squeeze_low");
  const y1 = rich(xUp, { gwc, gwcBias, pwc1 }, settings);
  return fuse(y1, cheap(xLow, parameters, output), output, settings.fuse);
}

/** Cut anew only where the parts are not the ones that are wanted. */
function asParts(parts: readonly Value[], widths: readonly number[]): readonly Value[] {
  const fits = parts.length === widths.length && parts.every((v, i) => v.shape[1] === widths[i]);
  return fits ? parts : split(concat(parts, 1), widths, 1);
}

/** Up to this many squeezed channels GWC and PWC1 are one dense kernel. docs/decisions.md has what was measured, and what not. */
export const MERGE_UP_TO = 32;

/** Y1 = GWC(X_up) + PWC1(X_up) (equation 8), where few channels make it pay as one dense convolution. */
function rich(
  xUp: Value,
  { gwc, gwcBias, pwc1 }: Pick<CruParameters, "gwc" | "gwcBias" | "pwc1">,
  { convGroups, kernel, dilation }: CruSettings,
): Value {
  const u = xUp.shape[1] as number;
  const pad = dilation * Math.floor(kernel / 2);
  const window = { pads: [pad, pad, pad, pad], dilations: [dilation, dilation] };
  if (u <= MERGE_UP_TO) return conv(xUp, mergedKernel(gwc, pwc1, convGroups), gwcBias, window, "gwc");
  const grouped = conv(xUp, gwc, gwcBias, { group: convGroups, ...window }, "gwc");
  return add(grouped, conv(xUp, pwc1, undefined, {}, "pwc1"));
}

/** The dense kernel of GWC + PWC1: gwc on the diagonal blocks, pwc1 at the centre tap. (C_out, u, k, k). */
export function mergedKernel(gwc: Value, pwc1: Value, groups: number): Value {
  const b = gwc.builder;
  const [output, perGroup, k] = gwc.dims as [number, number, number];
  const p = Math.floor(k / 2);
  const centre = b.add("Pad", [pwc1, b.ints([0, 0, p, p, 0, 0, p, p])]);
  if (groups === 1) return add(gwc, centre);
  const diagonal = new Float64Array(groups * groups);
  for (let g = 0; g < groups; g++) diagonal[g * groups + g] = 1;
  const blocks = mask(
    b.constant(Tensor.from("bool", [groups, 1, groups, 1, 1, 1], diagonal), "diagonal"),
    gwc,
  );
  const spread = mul(reshape(gwc, [groups, output / groups, 1, perGroup, k, k]), blocks);
  return add(reshape(spread, [output, groups * perGroup, k, k]), centre);
}

/** Y2 = [PWC2(X_low), X_low] as one point-wise convolution: the rows of the identity under those of pwc2. */
function cheap(xLow: Value, { pwc2 }: CruParameters, output: number): Value {
  if (!pwc2) return xLow;
  const l = xLow.shape[1] as number;
  const identity = new Float64Array(l * l);
  for (let i = 0; i < l; i++) identity[i * l + i] = 1;
  // Bits, not floats: numbers that nobody learns are not to be counted as parameters.
  const rows = mask(xLow.builder.constant(Tensor.from("bool", [l, l, 1, 1], identity), "identity"), xLow);
  if (l > output / 2) return concat([conv(xLow, pwc2, undefined, {}, "pwc2"), xLow], 1);
  return conv(xLow, concat([pwc2, rows], 0), undefined, {}, "pwc2");
}

/** Y = β₁·Y1 + β₂·Y2 (equations 9 and 10). */
function fuse(y1: Value, y2: Value, channels: number, mode: Fuse): Value {
  if (mode === "pair") {
    // A softmax over two is a sigmoid of their difference, and β₂ = 1 − β₁; the difference of the means is the mean of the
    // difference, which is needed anyhow.
    const d = sub(y1, y2);
    return add(y2, mul(sigmoid(globalAveragePool(d)), d));
  }
  const s1 = globalAveragePool(y1);
  const s2 = globalAveragePool(y2);
  const [b1, b2] = split(
    softmax(reshape(concat([s1, s2], 1), [0, 2 * channels]), 1),
    [channels, channels],
    1,
  ) as [Value, Value];
  const vector = (v: Value) => reshape(v, [0, channels, 1, 1]);
  return add(mul(y1, vector(b1)), mul(y2, vector(b2)));
}
