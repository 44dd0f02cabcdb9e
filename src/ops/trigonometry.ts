import type { Operator } from "../graph/operator.js";
import { unaryOperator } from "./elementwise.js";
import { add, cosh, div, mul, neg, sinh, sqrt, sub } from "./emit.js";

/** Circular and hyperbolic functions and their inverses; Sin, Cos and Tanh stand with the other units. */
export const trigonometry: readonly Operator[] = [
  // tan′ = 1 + tan²
  unaryOperator({
    type: "Tan",
    since: 7,
    f: Math.tan,
    grad: ({ y, dy }) => [() => mul(dy(), add(mul(y(), y()), 1))],
  }),
  // asin′ = 1/√(1 − x²)
  unaryOperator({
    type: "Asin",
    since: 7,
    f: Math.asin,
    grad: ({ x, dy }) => [() => div(dy(), sqrt(sub(1, mul(x(0), x(0)))))],
  }),
  unaryOperator({
    type: "Acos",
    since: 7,
    f: Math.acos,
    grad: ({ x, dy }) => [() => neg(div(dy(), sqrt(sub(1, mul(x(0), x(0))))))],
  }),
  // atan′ = 1/(1 + x²)
  unaryOperator({
    type: "Atan",
    since: 7,
    f: Math.atan,
    grad: ({ x, dy }) => [() => div(dy(), add(mul(x(0), x(0)), 1))],
  }),
  unaryOperator({
    type: "Sinh",
    since: 9,
    f: Math.sinh,
    grad: ({ x, dy }) => [() => mul(dy(), cosh(x(0)))],
  }),
  unaryOperator({
    type: "Cosh",
    since: 9,
    f: Math.cosh,
    grad: ({ x, dy }) => [() => mul(dy(), sinh(x(0)))],
  }),
  // asinh′ = 1/√(x² + 1)
  unaryOperator({
    type: "Asinh",
    since: 9,
    f: Math.asinh,
    grad: ({ x, dy }) => [() => div(dy(), sqrt(add(mul(x(0), x(0)), 1)))],
  }),
  // acosh′ = 1/√(x² − 1)
  unaryOperator({
    type: "Acosh",
    since: 9,
    f: Math.acosh,
    grad: ({ x, dy }) => [() => div(dy(), sqrt(sub(mul(x(0), x(0)), 1)))],
  }),
  // atanh′ = 1/(1 − x²)
  unaryOperator({
    type: "Atanh",
    since: 9,
    f: Math.atanh,
    grad: ({ x, dy }) => [() => div(dy(), sub(1, mul(x(0), x(0))))],
  }),
];
