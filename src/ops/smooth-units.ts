import { floatAttr, intAttr, type Node, stringAttr } from "../graph/ir.js";
import { free, type Operator } from "../graph/operator.js";
import { erfNumber } from "./activation.js";
import { mapTensors, stepFunction, unaryOperator } from "./elementwise.js";
import { abs, add, div, erf, exp, greater, mask, mul, neg, pow, sigmoid, sub, tanh } from "./emit.js";

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** √(2/π), of the tanh form of Gelu. */
const C = Math.sqrt(2 / Math.PI);
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

/** Exponential units, Gelu and their like, beside what `activation.ts` has. */
export const smoothUnits: readonly Operator[] = [
  unaryOperator({
    type: "Elu",
    since: 6,
    f: (x, node) => (x > 0 ? x : floatAttr(node, "alpha", 1) * Math.expm1(x)),
    // 1 above 0, y + α below
    grad: ({ node, x, y, dy }) => [
      () => {
        const above = mask(greater(x(0), 0), dy());
        return mul(dy(), add(above, mul(sub(1, above), add(y(), floatAttr(node, "alpha", 1)))));
      },
    ],
  }),
  unaryOperator({
    type: "Selu",
    since: 6,
    f: (x, node) =>
      floatAttr(node, "gamma", SELU.gamma) *
      (x > 0 ? x : floatAttr(node, "alpha", SELU.alpha) * Math.expm1(x)),
    // γ above 0, y + γα below
    grad: ({ node, x, y, dy }) => [
      () => {
        const gamma = floatAttr(node, "gamma", SELU.gamma);
        const above = mask(greater(x(0), 0), dy());
        const below = add(y(), gamma * floatAttr(node, "alpha", SELU.alpha));
        return mul(dy(), add(mul(above, gamma), mul(sub(1, above), below)));
      },
    ],
  }),
  unaryOperator({
    type: "Celu",
    since: 12,
    f: (x, node) => (x > 0 ? x : floatAttr(node, "alpha", 1) * Math.expm1(x / floatAttr(node, "alpha", 1))),
    // 1 above 0, y/α + 1 below
    grad: ({ node, x, y, dy }) => [
      () => {
        const above = mask(greater(x(0), 0), dy());
        const below = add(div(y(), floatAttr(node, "alpha", 1)), 1);
        return mul(dy(), add(above, mul(sub(1, above), below)));
      },
    ],
    // α·elu(x/α)
    older: ({ b, node, x }, to) => {
      const alpha = floatAttr(node, "alpha", 1);
      return to < 12 ? [mul(b.add("Elu", [div(x(0), alpha)]), alpha)] : undefined;
    },
  }),
  unaryOperator({
    type: "Swish",
    since: 24,
    f: (x, node) => x / (1 + Math.exp(-floatAttr(node, "alpha", 1) * x)),
    // (x·σ(αx))′ = σ + α·x·σ·(1 − σ)
    grad: ({ node, x, dy }) => [
      () => {
        const scaled = mul(x(0), floatAttr(node, "alpha", 1));
        const s = sigmoid(scaled);
        return mul(dy(), add(s, mul(mul(scaled, s), sub(1, s))));
      },
    ],
    // In all sets: ONNX Runtime 1.30 has no kernel for it, and falls back on its parts in set 24 alone.
    older: ({ node, x }) => [mul(x(0), sigmoid(mul(x(0), floatAttr(node, "alpha", 1))))],
  }),
  unaryOperator({
    type: "ThresholdedRelu",
    since: 10,
    f: (x, node) => (x > floatAttr(node, "alpha", 1) ? x : 0),
    grad: ({ node, x, dy }) => [() => mul(dy(), mask(greater(x(0), floatAttr(node, "alpha", 1)), dy()))],
  }),
  unaryOperator({
    type: "Shrink",
    since: 9,
    f: (x, node) => {
      const [lambda, bias] = [floatAttr(node, "lambd", 0.5), floatAttr(node, "bias", 0)];
      return x < -lambda ? x + bias : x > lambda ? x - bias : 0;
    },
    // 1 outside [−λ, λ]
    grad: ({ node, x, dy }) => [
      () => mul(dy(), mask(greater(abs(x(0)), floatAttr(node, "lambd", 0.5)), dy())),
    ],
  }),
  unaryOperator({
    type: "Softsign",
    since: 1,
    f: (x) => x / (1 + Math.abs(x)),
    // 1/(1 + |x|)²
    grad: ({ b, x, dy }) => [() => div(dy(), pow(add(b.add("Abs", [x(0)]), 1), 2))],
  }),
  unaryOperator({
    type: "Mish",
    since: 18,
    f: (x) => x * Math.tanh(softplus(x)),
    // (x·t)′ = t + x·σ(x)·(1 − t²) with t = tanh(softplus(x))
    grad: ({ b, x, dy }) => [
      () => {
        const t = tanh(b.add("Softplus", [x(0)]));
        return mul(dy(), add(t, mul(mul(x(0), sigmoid(x(0))), sub(1, mul(t, t)))));
      },
    ],
    older: ({ b, x }, to) => (to < 18 ? [mul(x(0), tanh(b.add("Softplus", [x(0)])))] : undefined),
  }),
  unaryOperator({
    type: "Gelu",
    since: 20,
    f: (x, node) =>
      stringAttr(node, "approximate", "none") === "tanh"
        ? 0.5 * x * (1 + Math.tanh(C * (x + 0.044715 * x ** 3)))
        : 0.5 * x * (1 + erfNumber(x / Math.SQRT2)),
    grad: ({ node, x, dy }) => [
      () => {
        const v = x(0);
        if (stringAttr(node, "approximate", "none") === "tanh") {
          // ½(1 + t) + ½·x·(1 − t²)·u′ with t = tanh u, u = √(2/π)·(x + 0.044715·x³)
          const square = mul(v, v);
          const t = tanh(mul(mul(v, add(mul(square, 0.044715), 1)), C));
          const slope = mul(add(mul(square, 3 * 0.044715), 1), C);
          return mul(dy(), mul(add(add(t, 1), mul(mul(v, slope), sub(1, mul(t, t)))), 0.5));
        }
        // Φ(x) + x·φ(x)
        const phi = mul(exp(mul(mul(v, v), -0.5)), 1 / Math.sqrt(2 * Math.PI));
        const cumulative = mul(add(erf(mul(v, Math.SQRT1_2)), 1), 0.5);
        return mul(dy(), add(cumulative, mul(v, phi)));
      },
    ],
    older: ({ node, x }, to) => {
      if (to >= 20) return undefined;
      const v = x(0);
      const u = mul(mul(v, add(mul(mul(v, v), 0.044715), 1)), C);
      const rising = stringAttr(node, "approximate", "none") === "tanh" ? tanh(u) : erf(mul(v, Math.SQRT1_2));
      return [mul(mul(v, add(rising, 1)), 0.5)];
    },
  }),
  unaryOperator({
    type: "Sin",
    since: 7,
    f: Math.sin,
    grad: ({ b, x, dy }) => [() => mul(dy(), b.add("Cos", [x(0)]))],
  }),
  unaryOperator({
    type: "Cos",
    since: 7,
    f: Math.cos,
    grad: ({ b, x, dy }) => [() => neg(mul(dy(), b.add("Sin", [x(0)])))],
  }),
  unaryOperator({ type: "Round", since: 11, f: roundToEven, grad: stepFunction }),
  ...(
    [
      ["IsNaN", 9, Number.isNaN],
      [
        "IsInf",
        10,
        (x: number, node: Node) =>
          (x === Number.POSITIVE_INFINITY && intAttr(node, "detect_positive", 1) === 1) ||
          (x === Number.NEGATIVE_INFINITY && intAttr(node, "detect_negative", 1) === 1),
      ],
    ] as const
  ).map(
    ([type, since, f]): Operator => ({
      type,
      since,
      infer: (ctx) => [{ dtype: "bool", shape: ctx.shape(0) }],
      evaluate: ({ node, tensor }) => [mapTensors("bool", [tensor(0)], (x) => Number(f(x, node)))],
      cost: free,
      grad: stepFunction,
    }),
  ),
];

export function roundToEven(x: number): number {
  const r = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
}
