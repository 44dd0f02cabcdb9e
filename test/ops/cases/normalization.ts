import { float } from "../../../src/graph/ir.js";
import { SCCONV_DOMAIN } from "../../../src/ops/emit.js";
import { type OperatorCase, uniform } from "../operator-case.js";

const positive = { low: 0.5, high: 2 };

const batch = (
  name: string,
  x: readonly number[],
  attributes: NonNullable<OperatorCase["attributes"]> = {},
): OperatorCase => {
  const c = [x[1]!];
  const training = attributes.training_mode === 1;
  return {
    op: "BatchNormalization",
    name,
    inputs: [uniform(x), uniform(c), uniform(c), uniform(c), uniform(c, positive)],
    attributes,
    // The running statistics are outputs too; nothing is differentiated through them.
    ...(training ? { outputs: 3, wrt: [0, 1, 2], seeded: [0] } : {}),
  };
};

/** A batch norm of the result of a point-wise convolution with k outputs, in training. */
const pointwise = (
  name: string,
  x: readonly number[],
  k: number,
  more: Partial<OperatorCase> = {},
): OperatorCase => ({
  op: "PointwiseBatchNorm",
  domain: SCCONV_DOMAIN,
  name,
  inputs: [uniform(x), uniform([k, x[1]!, ...x.slice(2).map(() => 1)]), uniform([k]), uniform([k])],
  ...{ outputs: 6, seeded: [0] },
  ...more,
});

const perPart = (
  op: string,
  name: string,
  x: readonly number[],
  parameters: readonly number[],
  attributes: OperatorCase["attributes"] = {},
  more: Partial<OperatorCase> = {},
): OperatorCase => ({
  op,
  name,
  inputs: [uniform(x), uniform(parameters), uniform(parameters)],
  attributes,
  ...more,
});

const group = (name: string, x: readonly number[], groups: number, more: Partial<OperatorCase> = {}) =>
  perPart(
    "GroupNormalization",
    `${name}, ${groups} groups`,
    x,
    [x[1]!],
    { num_groups: groups },
    { opset: 21, ...more },
  );

export const normalizationCases: readonly OperatorCase[] = [
  batch("inference", [2, 3, 4, 4]),
  batch("inference, another ε", [2, 3, 4], { epsilon: float(0.1) }),
  batch("inference, features", [4, 3]),
  batch("training", [3, 2, 4, 4], { training_mode: 1 }),
  batch("training, one dimension", [3, 2, 5], { training_mode: 1, epsilon: float(0.01) }),
  batch("training, features", [6, 3], { training_mode: 1 }),
  batch("training, three dimensions", [2, 2, 3, 2, 2], { training_mode: 1 }),
  {
    ...batch("training, running statistics", [3, 2, 4, 4], { training_mode: 1, momentum: float(0.8) }),
    wrt: [],
  },
  pointwise("more channels out", [3, 2, 4, 3], 5),
  pointwise("fewer channels out", [4, 6, 3, 3], 2, { attributes: { epsilon: float(0.1) } }),
  pointwise("one dimension", [5, 2, 4], 3),
  pointwise("one pixel", [6, 2, 1, 1], 3),
  group("image", [2, 4, 3, 3], 2),
  group("image", [2, 6, 2, 2], 6),
  group("image", [2, 6, 2, 2], 1),
  group("line", [3, 4, 5], 2),
  perPart("GroupNormalization", "a parameter to a group", [2, 4, 3, 3], [2], {
    num_groups: 2,
    epsilon: float(0.01),
  }),
  perPart("InstanceNormalization", "image", [2, 3, 4, 4], [3]),
  perPart("InstanceNormalization", "line", [2, 3, 5], [3], { epsilon: float(0.1) }),
  perPart("LayerNormalization", "last axis", [2, 3, 5], [5]),
  perPart("LayerNormalization", "axis 1", [3, 2, 4], [2, 4], { axis: 1 }),
  perPart("LayerNormalization", "axis −2, parameters that broadcast", [2, 2, 3], [3], { axis: -2 }),
  perPart("LayerNormalization", "with statistics", [2, 3, 5], [5], {}, { outputs: 3, seeded: [0] }),
  { op: "LayerNormalization", name: "no bias", inputs: [uniform([2, 3, 5]), uniform([5])] },
  perPart("LayerNormalization", "through its statistics", [2, 3, 5], [5], {}, { outputs: 3 }),
  ...[1, 2].map(
    (p): OperatorCase => ({
      op: "LpNormalization",
      name: `p = ${p}`,
      inputs: [uniform([2, 3, 4], { away: 0.1 })],
      attributes: { axis: 1, p },
    }),
  ),
  { op: "MeanVarianceNormalization", name: "image", inputs: [uniform([2, 3, 2, 3])] },
  {
    op: "MeanVarianceNormalization",
    name: "last axis",
    inputs: [uniform([3, 5])],
    attributes: { axes: [-1] },
  },
  { op: "RMSNormalization", name: "last axis", inputs: [uniform([2, 3, 5]), uniform([5])], opset: 23 },
  {
    op: "RMSNormalization",
    name: "axis 1, a scale that broadcasts",
    inputs: [uniform([2, 3, 4]), uniform([4])],
    attributes: { axis: 1, epsilon: float(0.1) },
    opset: 23,
  },
  { op: "LRN", name: "size 3", inputs: [uniform([2, 5, 3, 2])], attributes: { size: 3, alpha: float(0.5) } },
  {
    op: "LRN",
    name: "even size",
    inputs: [uniform([1, 6, 2, 2])],
    attributes: { size: 4, alpha: float(0.3), beta: float(0.5), bias: float(2) },
    engineLacks: "ONNX Runtime's LRN takes odd sizes only",
  },
  ...(["Softmax", "LogSoftmax"] as const).flatMap((op): OperatorCase[] => [
    { op, name: "last axis", inputs: [uniform([3, 5])] },
    { op, name: "channels", inputs: [uniform([2, 3, 2, 2])], attributes: { axis: 1 } },
    { op, name: "axis −2", inputs: [uniform([2, 3, 4], { low: -20, high: 20 })], attributes: { axis: -2 } },
  ]),
];
