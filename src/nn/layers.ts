import type { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import { float } from "../graph/ir.js";
import { conv as convolve, relu } from "../ops/emit.js";
import { filled, heNormal, type Initializer, lecunUniform, uniform } from "./init.js";

export { relu };

export interface ConvSettings {
  readonly kernel?: number;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  /** Of the weights; default He-normal. A bias starts at zero. */
  readonly init?: Initializer;
}

/** k×k convolution with "same" padding: x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉); parameter `name.weight` (out, C/g, k, k). */
export function conv(
  x: Value,
  out: number,
  name: string,
  random: Random,
  settings: ConvSettings = {},
): Value {
  const { kernel: k = 3, stride: s = 1, dilation: d = 1, groups = 1, bias = false } = settings;
  const { init = heNormal } = settings;
  const b = x.builder;
  const input = x.shape[1] as number;
  return b.scope(name, () => {
    const weight = b.parameter("weight", init(random, [out, input / groups, k, k], x.dtype));
    const offset = bias ? b.parameter("bias", filled([out], 0, x.dtype)) : undefined;
    const p = d * Math.floor(k / 2);
    return convolve(
      x,
      weight,
      offset,
      { strides: [s, s], pads: [p, p, p, p], dilations: [d, d], group: groups },
      "conv",
    );
  });
}

/** Batch normalisation over (N, H, W): parameters `weight` = 1, `bias` = 0, and running statistics, under `name`. */
export function batchNorm(x: Value, name: string, { eps = 1e-5, gain = 1 } = {}): Value {
  const b = x.builder;
  const c = x.shape[1] as number;
  return b.scope(name, () => {
    const weight = b.parameter("weight", filled([c], gain, x.dtype));
    const bias = b.parameter("bias", filled([c], 0, x.dtype));
    const mean = b.parameter("running_mean", filled([c], 0, x.dtype));
    const variance = b.parameter("running_var", filled([c], 1, x.dtype));
    return b.add(
      "BatchNormalization",
      [x, weight, bias, mean, variance],
      { epsilon: float(eps), momentum: float(0.9) },
      { name: "bn" },
    );
  });
}

/** Average pooling s×s, stride s; partial windows at an edge average the pixels that they have: (N, C, ⌈H/s⌉, ⌈W/s⌉). */
export function shrink(x: Value, stride: number): Value {
  if (stride === 1) return x;
  return x.builder.add("AveragePool", [x], {
    kernel_shape: [stride, stride],
    strides: [stride, stride],
    ceil_mode: 1,
  });
}

export interface LinearSettings {
  readonly init?: Initializer;
  /** `uniform`: in ±1/√C, as PyTorch starts it. */
  readonly bias?: "zero" | "uniform";
}

/** x (N, C) → (N, out): parameters `name.weight` (out, C) and `name.bias` (out). */
export function linear(
  x: Value,
  out: number,
  name: string,
  random: Random,
  { init = lecunUniform, bias: start = "zero" }: LinearSettings = {},
): Value {
  const b = x.builder;
  const c = x.shape[1] as number;
  return b.scope(name, () => {
    const weight = b.parameter("weight", init(random, [out, c], x.dtype));
    const offset =
      start === "zero" ? filled([out], 0, x.dtype) : uniform(random, [out], 1 / Math.sqrt(c), x.dtype);
    const bias = b.parameter("bias", offset);
    return b.add("Gemm", [x, weight, bias], { transB: 1 }, { name: "gemm" });
  });
}
