/*
 * OctConv: Chen, Fan, Xu, Yan, Kalantidis, Rohrbach, Yan, Feng, "Drop an Octave: Reducing Spatial Redundancy in
 * Convolutional Neural Networks with Octave Convolution", ICCV 2019. A share α of the channels is kept at half the
 * resolution (an octave lower); four convolutions carry information between and within the two (equations 1 and 4,
 * figure 2a). Strides and the change of resolution are by average pooling (§3.3), upsampling by nearest neighbour.
 */
import { ScconvError } from "../base/errors.js";
import type { Random } from "../base/random.js";
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { add, concat, slice, split } from "../ops/emit.js";
import { conv, shrink } from "./layers.js";
import { type ConvUnit, type SlotShape, shareOf } from "./slot.js";

export interface OctConvSettings {
  /** Share α of the channels at low frequency, in (0, 1). */
  readonly alpha: number;
}

export const octConvDefaults: OctConvSettings = { alpha: 0.5 };

/** Features of a network of octaves. */
export interface Octaves {
  /** (N, C_high, H, W); undefined where all channels are low. */
  readonly high: Value | undefined;
  /** (N, C_low, ⌈H/2⌉, ⌈W/2⌉); undefined where all channels are high. */
  readonly low: Value | undefined;
}

/** Numbers of channels of an octave convolution's output. */
export interface OctaveWidths {
  readonly high: number;
  readonly low: number;
}

/**
 * Octave convolution between octave features (equation 4): Y^H = f(X^H) + up(f(X^L)), Y^L = f(X^L) + f(pool(X^H)), with
 * parameters `conv_h2h`, `conv_l2h`, `conv_h2l` and `conv_l2l` under `name`. With stride s both octaves are pooled s×s
 * first, and with s = 2 the low one needs no upsampling on its way to the high one. The first layer of a network has
 * no low octave coming in, the last one has 0 low channels going out. Throws where strides are other than 1 and 2, or
 * where the sizes of the low octave do not follow from those of the high one.
 */
export function octConv(
  { high, low }: Octaves,
  out: OctaveWidths,
  name: string,
  random: Random,
  { kernel, stride, dilation = 1 }: SlotShape,
): Octaves {
  const given = high ?? low;
  if (!given) throw new ScconvError("shape", "an octave convolution of nothing", { where: name });
  const b = given.builder;
  return b.scope(name, () => {
    if (stride !== 1 && stride !== 2) {
      throw new ScconvError("bad-setting", "OctConv: stride does not fit", {
        where: b.scoped(""),
        got: `${stride}`,
        need: "1 or 2",
      });
    }
    const path = (x: Value | undefined, width: number, label: string): Value | undefined =>
      x && width > 0 ? conv(x, width, label, random, { kernel, dilation }) : undefined;
    const pooledHigh = high && shrink(high, stride);
    const pooledLow = low && shrink(low, stride);

    const h2h = path(pooledHigh, out.high, "conv_h2h");
    const l2h = path(low, out.high, "conv_l2h");
    const h2l = path(out.low > 0 ? pooledHigh && shrink(pooledHigh, 2) : undefined, out.low, "conv_h2l");
    const l2l = path(pooledLow, out.low, "conv_l2l");
    return {
      high: sum(h2h, l2h && (stride === 2 ? l2h : h2h ? upsampleTo(l2h, h2h) : upsample(l2h))),
      low: sum(l2l, h2l),
    };
  });
}

const sum = (a: Value | undefined, b: Value | undefined): Value | undefined =>
  a && b ? add(a, b) : (a ?? b);

/** Twice as high and wide, each pixel repeated. */
export const upsample = (x: Value): Value =>
  x.builder.add(
    "Resize",
    [x, undefined, x.builder.constant(Tensor.from("float32", [4], [1, 1, 2, 2]), "twice")],
    { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  );

/** Upsampled, and cut to the height and width of `like` where those are odd. */
export function upsampleTo(x: Value, like: Value): Value {
  const sizes = like.shape.slice(2);
  if (sizes.some((d) => typeof d !== "number")) {
    throw new ScconvError("shape", "OctConv: the size of the image must be known", {
      where: x.builder.scoped(""),
      got: sizes.join("×"),
      need: "numbers",
    });
  }
  const wide = upsample(x);
  const ends = sizes as number[];
  if (wide.shape.slice(2).every((d, i) => d === ends[i])) return wide;
  return slice(wide, { starts: [0, 0], ends, axes: [2, 3] });
}

/**
 * OctConv as a drop-in for one convolution: the last ⌊αC⌋ channels are pooled to half the resolution, the low part of
 * what comes out is upsampled again and joined to the high one. Parameters are the convolution's own (k²·C·C_out);
 * multiply-adds are those of the paper's layer, 1 − ¾α(2 − α) of the convolution's, 0.4375 of them at α = ½.
 *
 * What it costs against the paper's form, in which features stay in two octaves from the first block to the last: here
 * every layer throws away the fine detail of its low channels anew, features between layers (and their memory traffic,
 * norms and activations) are all at full resolution, two more resamplings stand in each layer, and convolutions that
 * are not replaced (the 1×1 of bottlenecks) save nothing. `octConv` above is the layer for a network in the paper's form.
 */
export const octConvUnit =
  (settings: Partial<OctConvSettings> = {}): ConvUnit =>
  (x, out, name, random, shape) => {
    const { alpha } = { ...octConvDefaults, ...settings };
    const b = x.builder;
    const [input, widths] = b.scope(name, () => {
      const [low, high] = shareOf("OctConv", x, x.shape[1] as number, alpha);
      const [outLow, outHigh] = shareOf("OctConv", x, out, alpha);
      const [fine, coarse] = split(x, [high, low], 1) as [Value, Value];
      return [
        { high: fine, low: shrink(coarse, 2) },
        { high: outHigh, low: outLow },
      ] as const;
    });
    const y = octConv(input, widths, name, random, shape);
    return b.scope(name, () => concat([y.high!, upsampleTo(y.low!, y.high!)], 1));
  };
