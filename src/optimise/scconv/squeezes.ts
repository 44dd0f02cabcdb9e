/*
 * SRU and both squeezes. With the rich part x1 of x = [a; b], by halves:
 *
 *   out₁ = a₁ + b − b₁ = b + d,  out₂ = b₁ + a − a₁ = a − d,  d = a₁ − b₁,
 *
 * so that out is half as many elements of arithmetic as it has. With α = 1/2 each squeeze reads one of them. Else out is not
 * made at all: it is linear in x and x1, and the squeezes absorb it, X = W·x + V·x1. With scope channel x1 is linear in x, too,
 * and the SRU costs nothing. Average pooling (stride) commutes with all of that.
 */
import type { Value } from "../../graph/builder.js";
import { cruWidths } from "../../nn/cru.js";
import { add, conv, split, sub } from "../../ops/emit.js";
import { get, type Matrix, matrix, rowsOf } from "../matrix.js";
import { filledWidth, pointwise } from "./branches.js";
import { gate, gateHalves } from "./gate.js";
import { limitOf, type Parameters, sumOf } from "./parameters.js";

/** X_up (N, u, H/s, W/s) and X_low (N, l, H/s, W/s), filled up with channels of 0, of x (N, C, H, W). */
export function squeezed(x: Value, p: Parameters): [xUp: Value, xLow: Value] {
  const { settings, cru } = p;
  const channels = p.gamma.length;
  const { u, l, upper } = cruWidths(channels, cru.gwc!.dims[0]!, settings, "unit");
  const b = x.builder;
  const squeeze = (v: Value, weight: Value, name: string) => conv(v, weight, undefined, {}, name);
  const pooled = (v: Value) => shrink(v, settings.stride);

  if (settings.scope === "channel") {
    const all = staticSru(squeezeMatrix(p, upper), p);
    const whole = pooled(x);
    return [
      squeeze(whole, pointwise(b, "squeeze_up", rowsOf(all, 0, u)), "squeeze_up"),
      squeeze(whole, pointwise(b, "squeeze_low", filled(rowsOf(all, u, u + l))), "squeeze_low"),
    ];
  }
  if (2 * upper === channels) {
    const [x1, x2] = split(x, [upper, upper], 1) as [Value, Value];
    const d = sub(...gateHalves(x, [x1, x2], p));
    const weights = cru.squeezeLow!.numbers();
    const low = matrix(l, upper, (i, j) => weights[i * upper + j]!);
    return [
      squeeze(pooled(add(x2, d)), b.constant(cru.squeezeUp!, "squeeze_up.weight"), "squeeze_up"),
      squeeze(pooled(sub(x1, d)), pointwise(b, "squeeze_low", filled(low)), "squeeze_low"),
    ];
  }
  const [onX, onRich] = dynamicSru(squeezeMatrix(p, upper));
  const [whole, rich] = [pooled(x), pooled(gate(x, p))];
  const both = (name: string, rows: (m: Matrix) => Matrix) =>
    add(
      squeeze(whole, pointwise(b, `${name}.x`, rows(onX)), name),
      squeeze(rich, pointwise(b, `${name}.gated`, rows(onRich)), `${name}_gated`),
    );
  return [
    both("squeeze_up", (m) => rowsOf(m, 0, u)),
    both("squeeze_low", (m) => filled(rowsOf(m, u, u + l))),
  ];
}

/** With rows of 0 under it, for as many channels as the lower part is made with. */
const filled = (m: Matrix): Matrix =>
  matrix(filledWidth(m.rows), m.cols, (i, j) => (i < m.rows ? get(m, i, j) : 0));

/** The block matrix of both squeezes on the SRU's output. */
function squeezeMatrix({ cru, gamma }: Parameters, upper: number): Matrix {
  const [up, low] = [cru.squeezeUp!, cru.squeezeLow!];
  const [u, l] = [up.dims[0]!, low.dims[0]!];
  const [a, b] = [up.numbers(), low.numbers()];
  const lower = gamma.length - upper;
  return matrix(u + l, gamma.length, (i, j) => {
    if (i < u) return j < upper ? a[i * upper + j]! : 0;
    return j < upper ? 0 : b[(i - u) * lower + j - upper]!;
  });
}

/** S·out = S·[b + d; a − d]: (S₂, S₁) on x, (S₁ − S₂, S₂ − S₁) on x1. */
function dynamicSru(s: Matrix): [Matrix, Matrix] {
  const h = s.cols / 2;
  const other = (j: number) => (j < h ? j + h : j - h);
  return [
    matrix(s.rows, s.cols, (i, j) => get(s, i, other(j))),
    matrix(s.rows, s.cols, (i, j) => get(s, i, j) - get(s, i, other(j))),
  ];
}

/** With gates g fixed for each channel: x1 = g ⊙ x. */
function staticSru(s: Matrix, { gamma, settings }: Parameters): Matrix {
  const total = sumOf(gamma);
  const limit = limitOf(settings);
  const [onX, onRich] = dynamicSru(s);
  return matrix(
    s.rows,
    s.cols,
    (i, j) => get(onX, i, j) + (gamma[j]! / total > limit ? get(onRich, i, j) : 0),
  );
}

function shrink(v: Value, stride: number): Value {
  if (stride === 1) return v;
  const window = { kernel_shape: [stride, stride], strides: [stride, stride], ceil_mode: 1 };
  return v.builder.add("AveragePool", [v], window);
}
