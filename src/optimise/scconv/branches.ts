/*
 * The CRU behind the squeezes, with the affine map (s, h) of the batch norm behind it in both branches:
 *
 *   norm      y₁ = s·Y1 + h, y₂ = s·Y2 + h, so that β₁·y₁ + β₂·y₂ = s·Y + h; β₁ = σ((S₁ − S₂)) with S of Y, not of y
 *   GWC+PWC1  one dense kernel where few channels make that cheaper
 *   PWC2      with the rows of the identity under it: no concat
 *   fuse      d = y₂ − y₁ by an accumulating convolution with −GWC, which the engine does in place; its mean is all that β
 *             needs, and y = y₂ − β₁·d
 */
import { Tensor } from "../../base/tensor.js";
import type { GraphBuilder, Value } from "../../graph/builder.js";
import { MERGE_UP_TO } from "../../nn/cru.js";
import { add, conv, globalAveragePool, mul, sigmoid, sub } from "../../ops/emit.js";
import type { Affine } from "../fold-batch-norm.js";
import { type Matrix, matrix } from "../matrix.js";
import type { Parameters } from "./parameters.js";

/** Channels in a block of the engine's layout for convolutions (AVX-512): groups that fill no blocks leave that layout. */
const BLOCK = 16;

/**
 * How many channels the squeezed lower part is made with, of which `l` are not 0: a whole block from half a block on, because the
 * engine takes less out of its layout, and the next convolution takes it from there slowly.
 */
export const filledWidth = (l: number): number => (l < BLOCK / 2 ? l : Math.max(l, BLOCK));

/** s·CRU + h of X_up (N, u, H, W) and X_low (N, l, H, W): (N, C_out, H, W). */
export function fused(xUp: Value, xLow: Value, p: Parameters): Value {
  const b = xUp.builder;
  const output = p.cru.gwc!.dims[0]!;
  const affine = p.affine ?? {
    scale: new Float64Array(output).fill(1),
    shift: new Float64Array(output),
  };
  const y2 = cheapBranch(b, xLow, p, affine);
  const d = minusRichBranch(b, xUp, p, affine, y2);
  const minusInverse = Tensor.from(
    "float32",
    [1, output, 1, 1],
    affine.scale.map((s) => (s === 0 ? 0 : -1 / s)),
  );
  const beta = sigmoid(mul(globalAveragePool(d), b.constant(minusInverse, "minus_inverse_scale")));
  return sub(y2, mul(beta, d));
}

export const pointwise = (b: GraphBuilder, name: string, m: Matrix): Value =>
  b.constant(Tensor.from("float32", [m.rows, m.cols, 1, 1], m.at), `${name}.weight`);

/** y − s·(GWC(X) + PWC1(X)) − h. */
function minusRichBranch(
  b: GraphBuilder,
  x: Value,
  { settings, cru }: Parameters,
  { scale, shift }: Affine,
  y: Value,
): Value {
  const { kernel: k, dilation, convGroups: g } = settings;
  const [output, perGroup] = cru.gwc!.dims as [number, number];
  const u = perGroup * g;
  const [gwc, bias, pwc1] = [cru.gwc!.numbers(), cru.gwcBias!.numbers(), cru.pwc1!.numbers()];
  const taps = k * k;
  const centre = Math.floor(taps / 2);
  const pad = dilation * Math.floor(k / 2);
  const window = { pads: [pad, pad, pad, pad], dilations: [dilation, dilation] };
  const offset = b.constant(
    Tensor.from(
      "float32",
      [output],
      shift.map((h, c) => -h - scale[c]! * bias[c]!),
    ),
    "gwc.bias",
  );
  const groupOf = (c: number) => Math.floor(c / (output / g));
  const fillsBlocks = perGroup % BLOCK === 0 && (output / g) % BLOCK === 0;
  if (g > 1 && u <= MERGE_UP_TO && !fillsBlocks) {
    const dense = new Float64Array(output * u * taps);
    for (let c = 0; c < output; c++)
      for (let j = 0; j < u; j++) {
        const at = (c * u + j) * taps;
        const own = j - groupOf(c) * perGroup;
        if (own >= 0 && own < perGroup)
          for (let t = 0; t < taps; t++) dense[at + t] = -scale[c]! * gwc[(c * perGroup + own) * taps + t]!;
        dense[at + centre]! -= scale[c]! * pwc1[c * u + j]!;
      }
    const weight = b.constant(Tensor.from("float32", [output, u, k, k], dense), "gwc_pwc1.weight");
    return add(conv(x, weight, offset, window, "gwc"), y);
  }
  const scaled = (values: ArrayLike<number>, row: number) =>
    Float64Array.from(values, (v, i) => -v * scale[Math.floor(i / row)]!);
  const wide = b.constant(Tensor.from("float32", cru.gwc!.dims, scaled(gwc, perGroup * taps)), "gwc.weight");
  const point = b.constant(Tensor.from("float32", cru.pwc1!.dims, scaled(pwc1, u)), "pwc1.weight");
  return add(
    conv(x, wide, offset, { ...window, group: g }, "gwc"),
    add(conv(x, point, undefined, {}, "pwc1"), y),
  );
}

/** s·[PWC2(X); X] + h of X (N, l, H, W), or as wide as `filledWidth` says. */
function cheapBranch(b: GraphBuilder, x: Value, { cru }: Parameters, { scale, shift }: Affine): Value {
  const output = scale.length;
  const l = cru.squeezeLow!.dims[0]!;
  const pwc2 = cru.pwc2?.numbers();
  const rows = matrix(output, filledWidth(l), (i, j) => {
    if (j >= l) return 0;
    if (i < output - l) return scale[i]! * pwc2![i * l + j]!;
    return i - (output - l) === j ? scale[i]! : 0;
  });
  const offset = b.constant(Tensor.from("float32", [output], shift), "pwc2.bias");
  return conv(x, pointwise(b, "pwc2", rows), offset, {}, "pwc2");
}
