import { float, floatAttr } from "../graph/ir.js";
import type { Operator } from "../graph/operator.js";
import { none, zero } from "../graph/operator.js";
import { stepFunction, unaryOperator } from "./elementwise.js";
import {
  abs,
  add,
  cast,
  div,
  exp,
  greater,
  identity,
  less,
  logit,
  mask,
  mul,
  neg,
  pow,
  SCCONV_DOMAIN,
  sigmoid,
  sign,
  sub,
} from "./emit.js";

const logistic = (x: number) => 1 / (1 + Math.exp(-x));

/** Operators of one input, element by element: value and derivative side by side. */
export const activationOperators: readonly Operator[] = [
  unaryOperator({
    type: "Relu",
    since: 6,
    f: (x) => Math.max(x, 0),
    // The mask comes from y, which the next layer keeps anyhow.
    grad: ({ y, dy }) => [() => mul(dy(), mask(greater(y(), 0), dy()))],
  }),
  unaryOperator({
    type: "LeakyRelu",
    since: 6,
    f: (x, node) => (x < 0 ? x * floatAttr(node, "alpha", 0.01) : x),
    grad: ({ node, x, dy }) => [
      () => {
        const alpha = floatAttr(node, "alpha", 0.01);
        return mul(dy(), add(mul(mask(greater(x(0), 0), dy()), 1 - alpha), alpha));
      },
    ],
  }),
  unaryOperator({
    type: "Sigmoid",
    since: 6,
    f: logistic,
    // σ′ = σ(1 − σ)
    grad: ({ y, dy }) => [() => mul(dy(), mul(y(), sub(1, y())))],
  }),
  unaryOperator({
    type: "HardSigmoid",
    since: 6,
    f: (x, node) =>
      Math.max(0, Math.min(1, floatAttr(node, "alpha", 0.2) * x + floatAttr(node, "beta", 0.5))),
    grad: ({ node, y, dy }) => [
      () => {
        const inside = mul(mask(greater(y(), 0), dy()), mask(less(y(), 1), dy()));
        return mul(dy(), mul(inside, floatAttr(node, "alpha", 0.2)));
      },
    ],
  }),
  unaryOperator({
    type: "HardSwish",
    since: 14,
    f: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
    // (x·h(x))′ = h + x/6 inside (−3, 3)
    grad: ({ b, x, dy }) => [
      () => {
        const h = b.add("HardSigmoid", [x(0)], {
          alpha: float(1 / 6),
          beta: float(0.5),
        });
        const inside = mask(less(abs(x(0)), 3), dy());
        return mul(dy(), add(h, mul(inside, div(x(0), 6))));
      },
    ],
    older: ({ b, x }, to) =>
      to < 14
        ? [mul(x(0), b.add("HardSigmoid", [x(0)], { alpha: float(1 / 6), beta: float(0.5) }))]
        : undefined,
  }),
  unaryOperator({
    type: "Tanh",
    since: 6,
    f: Math.tanh,
    grad: ({ y, dy }) => [() => mul(dy(), sub(1, mul(y(), y())))],
  }),
  unaryOperator({ type: "Exp", since: 6, f: Math.exp, grad: ({ y, dy }) => [() => mul(dy(), y())] }),
  unaryOperator({ type: "Log", since: 6, f: Math.log, grad: ({ x, dy }) => [() => div(dy(), x(0))] }),
  unaryOperator({
    type: "Sqrt",
    since: 6,
    f: Math.sqrt,
    grad: ({ y, dy }) => [() => div(mul(dy(), 0.5), y())],
  }),
  unaryOperator({
    type: "Reciprocal",
    since: 6,
    f: (x) => 1 / x,
    grad: ({ y, dy }) => [() => neg(mul(dy(), mul(y(), y())))],
  }),
  unaryOperator({ type: "Neg", since: 6, f: (x) => -x, grad: ({ dy }) => [() => neg(dy())] }),
  unaryOperator({ type: "Abs", since: 6, f: Math.abs, grad: ({ x, dy }) => [() => mul(dy(), sign(x(0)))] }),
  unaryOperator({
    type: "Softplus",
    since: 1,
    f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    grad: ({ x, dy }) => [() => mul(dy(), sigmoid(x(0)))],
  }),
  unaryOperator({
    type: "Erf",
    since: 9,
    f: erfNumber,
    // erf′ = 2/√π · exp(−x²)
    grad: ({ x, dy }) => [() => mul(dy(), mul(exp(neg(pow(x(0), 2))), 2 / Math.sqrt(Math.PI)))],
  }),
  unaryOperator({ type: "Sign", since: 9, f: Math.sign, grad: stepFunction }),
  unaryOperator({ type: "Floor", since: 6, f: Math.floor, grad: stepFunction }),
  unaryOperator({ type: "Ceil", since: 6, f: Math.ceil, grad: stepFunction }),
  unaryOperator({
    type: "Not",
    since: 1,
    f: (x) => (x ? 0 : 1),
    grad: none("truth values have no derivative"),
  }),
  unaryOperator({ type: "Identity", since: 1, f: (x) => x, grad: ({ dy }) => [() => dy()] }),
  unaryOperator({
    type: "StraightThroughGate",
    domain: SCCONV_DOMAIN,
    since: 1,
    // [σ(x) > t], without the rounding of σ
    f: (x, node) => Number(x > logit(floatAttr(node, "threshold", 0.5))),
    // as if the value were σ(x): σ(1 − σ)
    grad: ({ x, dy }) => [
      () => {
        const s = sigmoid(x(0));
        return mul(dy(), mul(s, sub(1, s)));
      },
    ],
    lower: ({ node, x }) => [cast(greater(x(0), logit(floatAttr(node, "threshold", 0.5))), x(0).dtype)],
  }),
  unaryOperator({
    type: "StopGradient",
    domain: SCCONV_DOMAIN,
    since: 1,
    f: (x) => x,
    grad: zero("it is there to stop the gradient"),
    lower: ({ x }) => [identity(x(0))],
  }),
];

/** erf to double precision: a series near 0, a continued fraction beyond (Abramowitz & Stegun 7.1.6, 7.1.14). */
export function erfNumber(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 100 && Math.abs(term) > 1e-17 * sum; n++) {
      term *= (2 * a * a) / (2 * n + 1);
      sum += term;
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * sum;
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}
