import { isFloat } from "../base/dtype.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node } from "../graph/ir.js";
import type { DowngradeContext, GradContext, Operator } from "../graph/operator.js";
import { binaryOperator, mapTensors, stepFunction } from "./elementwise.js";
import { abs, add, cast, div, equal, log, mask, mul, neg, pow, sign, sub } from "./emit.js";

/** Max and Min of several: the gradient goes to every input that is the extreme, (where several are, to each). */
const extreme = ({ b, node, x, y, dy }: GradContext) =>
  node.inputs.map((_, i) => () => {
    const won = b.add("Equal", [x(i), y()]);
    return mul(dy(), mask(won, dy()));
  });

const sum = binaryOperator({
  type: "Sum",
  since: 8,
  f: (a, b) => a + b,
  grad: ({ node, dy }) => node.inputs.map(() => () => dy()),
});

const floatsBefore12 = (node: Node, to: number, make: DowngradeContext): Node => {
  if (to < 12 && !isFloat(make.type(node.inputs[0]!)?.dtype ?? "float32")) {
    throw make.cannot("set 12 (integers)");
  }
  return node;
};

/** Before 12; not the negated opposite, which would hold for what is not a number. */
const orEqual = ({ b, x }: GradContext, type: string): Value =>
  b.add("Or", [b.add(type.replace("OrEqual", ""), [x(0), x(1)]), equal(x(0), x(1))]);

/** Operators of two (or more) inputs, element by element. */
export const arithmeticOperators: readonly Operator[] = [
  binaryOperator({
    type: "Add",
    since: 7,
    f: (a, b) => a + b,
    grad: ({ dy }) => [() => dy(), () => dy()],
  }),
  binaryOperator({
    type: "Sub",
    since: 7,
    f: (a, b) => a - b,
    grad: ({ dy }) => [() => dy(), () => neg(dy())],
  }),
  binaryOperator({
    type: "Mul",
    since: 7,
    f: (a, b) => a * b,
    grad: ({ x, dy }) => [() => mul(dy(), x(1)), () => mul(dy(), x(0))],
  }),
  binaryOperator({
    type: "Div",
    since: 7,
    f: (a, b, _node, dtype) =>
      dtype.startsWith("float") || dtype === "bfloat16" ? a / b : Math.trunc(a / b),
    // d(a/b) = da/b − (a/b)·db/b
    grad: ({ x, y, dy }) => [() => div(dy(), x(1)), () => neg(div(mul(dy(), y()), x(1)))],
  }),
  binaryOperator({
    type: "Pow",
    since: 7,
    f: (a, b) => a ** b,
    // d(aᵇ) = b·aᵇ⁻¹·da + aᵇ·ln a·db
    grad: ({ x, y, dy }) => [
      () => mul(dy(), mul(cast(x(1), dy().dtype), pow(x(0), sub(x(1), 1)))),
      // 0ᵇ is flat in b, and not 0·∞.
      () => mul(dy(), mul(y(), log(add(x(0), mask(equal(x(0), 0), x(0)))))),
    ],
    downgrade: (node, to, make) => {
      const [a, b] = node.inputs.map((n) => make.type(n)?.dtype);
      if (to < 12 && (a !== b || !isFloat(a ?? "float32"))) throw make.cannot("set 12 (element types)");
      return node;
    },
  }),
  binaryOperator({
    type: "Max",
    since: 8,
    f: (a, b) => Math.max(a, b),
    grad: extreme,
    downgrade: floatsBefore12,
  }),
  binaryOperator({
    type: "Min",
    since: 8,
    f: (a, b) => Math.min(a, b),
    grad: extreme,
    downgrade: floatsBefore12,
  }),
  sum,
  {
    ...sum,
    type: "Mean",
    evaluate: (ctx) => sum.evaluate(ctx).map((t) => mapTensors(t.dtype, [t], (v) => v / ctx.inputs.length)),
    grad: ({ node, dy }) => node.inputs.map(() => () => div(dy(), node.inputs.length)),
  },
  binaryOperator({
    type: "Mod",
    since: 10,
    // The remainder has the sign of the divisor, of the dividend where fmod says so.
    f: (a, b, node) => {
      const r = a % b;
      return intAttr(node, "fmod", 0) === 1 || r === 0 || r < 0 === b < 0 ? r : r + b;
    },
    // a mod b = a − b·⌊a/b⌋ (truncated where fmod says so)
    grad: ({ b: g, node, x, dy }) => [
      () => dy(),
      () => {
        const ratio = div(x(0), x(1));
        const whole =
          intAttr(node, "fmod", 0) === 1
            ? mul(sign(ratio), g.add("Floor", [abs(ratio)]))
            : g.add("Floor", [ratio]);
        return neg(mul(dy(), whole));
      },
    ],
  }),
  ...(
    [
      ["Greater", (a, b) => a > b],
      ["GreaterOrEqual", (a, b) => a >= b],
      ["Less", (a, b) => a < b],
      ["LessOrEqual", (a, b) => a <= b],
      ["Equal", (a, b) => a === b],
      ["And", (a, b) => a !== 0 && b !== 0],
      ["Or", (a, b) => a !== 0 || b !== 0],
      ["Xor", (a, b) => (a !== 0) !== (b !== 0)],
    ] as [string, (a: number, b: number) => boolean][]
  ).map(([type, f]) =>
    binaryOperator({
      type,
      since: 7,
      dtype: "bool",
      f: (a, b) => Number(f(a, b)),
      grad: stepFunction,
      older: (ctx, to) => (to < 12 && type.endsWith("OrEqual") ? [orEqual(ctx, type)] : undefined),
    }),
  ),
];
