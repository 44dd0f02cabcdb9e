import { Tensor } from "../../../src/base/tensor.js";
import { float } from "../../../src/graph/ir.js";
import { SCCONV_DOMAIN } from "../../../src/ops/emit.js";
import { bools, floats, type OperatorCase, uniform } from "../operator-case.js";

const unary = (
  op: string,
  range: Parameters<typeof uniform>[1] = {},
  more: Partial<OperatorCase> = {},
): OperatorCase => ({
  op,
  name: more.name ?? "values",
  inputs: [uniform([3, 7], range)],
  ...more,
});

const binary = (op: string, range: Parameters<typeof uniform>[1] = {}): OperatorCase[] => [
  { op, name: "same shapes", inputs: [uniform([3, 4], range), uniform([3, 4], range)] },
  { op, name: "both broadcast", inputs: [uniform([2, 1, 4], range), uniform([3, 1], range)] },
  { op, name: "scalar", inputs: [uniform([], range), uniform([2, 3], range)] },
];

const corner = { away: 0.05 };
const positive = { low: 0.3, high: 3 };
const comparable = floats([4], [1, 2, 3, 3]);
const others = floats([4], [2, 2, 1, 3]);

export const elementwiseCases: readonly OperatorCase[] = [
  unary("Relu", corner),
  unary("LeakyRelu", corner),
  unary("LeakyRelu", corner, { name: "α = 0.3", attributes: { alpha: float(0.3) } }),
  unary("Sigmoid"),
  unary("HardSigmoid", { low: -5, high: 5 }),
  unary(
    "HardSigmoid",
    { low: -5, high: 5 },
    { name: "as in HardSwish", attributes: { alpha: float(1 / 6) } },
  ),
  unary("HardSwish", { low: -5, high: 5 }),
  unary("Tanh"),
  unary("Exp"),
  unary("Log", positive),
  unary("Sqrt", positive),
  unary("Reciprocal", positive),
  unary("Neg"),
  unary("Abs", corner),
  unary("Softplus", { low: -30, high: 30 }),
  unary("Erf", { low: -4, high: 4 }),
  unary("Sign"),
  unary("Floor"),
  unary("Ceil"),
  unary("Identity"),
  unary("Elu", corner),
  unary("Elu", corner, { name: "α = 0.5", attributes: { alpha: float(0.5) } }),
  unary("Selu", corner),
  unary("Celu", corner, { name: "α = 2", attributes: { alpha: float(2) } }),
  unary("Softsign"),
  unary("Mish", { low: -5, high: 5 }),
  unary("Gelu", { low: -4, high: 4 }, { opset: 20 }),
  unary("Gelu", { low: -4, high: 4 }, { name: "tanh", opset: 20, attributes: { approximate: "tanh" } }),
  unary("Sin"),
  unary("Cos"),
  ...["Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Atanh"].map((op) =>
    unary(op, { low: -0.9, high: 0.9 }),
  ),
  unary("Acosh", { low: 1.1, high: 3 }),
  unary("Swish", { low: -5, high: 5 }, { opset: 24 }),
  unary("Swish", {}, { name: "α = 1.7", opset: 24, attributes: { alpha: float(1.7) } }),
  unary("ThresholdedRelu", { low: -0.9, high: 0.9 }),
  unary("ThresholdedRelu", { low: -2, high: 2 }, { name: "α = 0.25", attributes: { alpha: float(0.25) } }),
  unary("Shrink", {}, { name: "hard", attributes: { lambd: float(0.75) } }),
  unary("Shrink", {}, { name: "soft", attributes: { lambd: float(0.75), bias: float(0.75) } }),
  { op: "CastLike", name: "to the type of another", inputs: [uniform([3]), floats([], [1])] },
  {
    op: "CastLike",
    name: "integers",
    inputs: [Tensor.from("int32", [3], [1, -2, 3]), floats([], [1])],
    fed: [0],
    wrt: [],
  },
  {
    op: "BitCast",
    name: "floats as integers",
    inputs: [floats([3], [1, -2, 0.5])],
    attributes: { to: 6 },
    opset: 26,
  },
  ...["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map(
    (op): OperatorCase => ({
      op,
      name: "broadcast",
      inputs: [Tensor.from("int32", [2, 2], [7, -3, 12, 2 ** 31 - 1]), Tensor.from("int32", [2], [10, -6])],
      fed: [0],
    }),
  ),
  { op: "BitwiseNot", name: "unsigned", inputs: [Tensor.from("uint8", [3], [0, 7, 255])], fed: [0] },
  ...["LEFT", "RIGHT"].map(
    (direction): OperatorCase => ({
      op: "BitShift",
      name: direction,
      inputs: [Tensor.from("uint32", [3], [1, 2 ** 31 + 5, 40]), Tensor.from("uint32", [3], [1, 2, 3])],
      attributes: { direction },
      fed: [0],
    }),
  ),
  { op: "Round", name: "halves to even", inputs: [floats([6], [0.5, 1.5, 2.5, -0.5, -1.5, 1.2])] },
  { op: "IsNaN", name: "values", inputs: [floats([3], [Number.NaN, 1, Number.POSITIVE_INFINITY])] },
  { op: "IsInf", name: "values", inputs: [floats([3], [Number.NaN, 1, Number.NEGATIVE_INFINITY])] },
  {
    op: "IsInf",
    name: "below only",
    inputs: [floats([3], [Number.POSITIVE_INFINITY, 1, Number.NEGATIVE_INFINITY])],
    attributes: { detect_positive: 0 },
  },
  { op: "Not", name: "booleans", inputs: [bools([3], [1, 0, 1])], fed: [0] },
  unary("StraightThroughGate", corner, {
    domain: SCCONV_DOMAIN,
    attributes: { threshold: float(0.6) },
    derivativeOf: "Sigmoid",
  }),
  unary("StopGradient", {}, { domain: SCCONV_DOMAIN }),
  ...binary("Add"),
  ...binary("Sub"),
  ...binary("Mul"),
  ...binary("Div", { away: 0.3 }),
  // x^b·ln x in float32 keeps a digit less.
  ...binary("Pow", positive).map((c) => ({ ...c, tolerance: 3e-5 })),
  { op: "Pow", name: "constant exponent", inputs: [uniform([3, 4]), floats([], [2])], constant: [1] },
  {
    op: "Pow",
    name: "integer exponent",
    inputs: [uniform([3, 4]), Tensor.from("int64", [], [3])],
  },
  {
    op: "Div",
    name: "integers round to zero",
    inputs: [Tensor.from("int64", [4], [7, -7, 8, 1]), Tensor.from("int64", [], [2])],
    fed: [0],
  },
  ...["Max", "Min", "Sum", "Mean"].flatMap((op): OperatorCase[] => [
    ...binary(op),
    { op, name: "three", inputs: [uniform([2, 3]), uniform([3]), uniform([2, 1])] },
    { op, name: "one", inputs: [uniform([2, 3])] },
  ]),
  {
    op: "Mod",
    name: "integers",
    inputs: [Tensor.from("int64", [4], [7, -7, 8, -1]), Tensor.from("int64", [], [3])],
    fed: [0],
  },
  {
    op: "Mod",
    name: "fmod = 0 says nothing new",
    inputs: [Tensor.from("int64", [4], [7, -7, 8, -1]), Tensor.from("int64", [], [-3])],
    attributes: { fmod: 0 },
    fed: [0],
  },
  {
    op: "Mod",
    name: "fmod",
    inputs: [floats([4], [1.1, -1.1, 0.4, -2.9]), floats([], [0.75])],
    attributes: { fmod: 1 },
  },
  ...["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"].map(
    (op): OperatorCase => ({ op, name: "with ties", inputs: [comparable, others] }),
  ),
  ...["And", "Or", "Xor"].map(
    (op): OperatorCase => ({
      op,
      name: "booleans",
      inputs: [bools([4], [1, 1, 0, 0]), bools([4], [1, 0, 1, 0])],
      fed: [0, 1],
    }),
  ),
];
