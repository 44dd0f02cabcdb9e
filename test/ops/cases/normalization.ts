import { float } from "../../../src/graph/ir.js";
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
  ...(["Softmax", "LogSoftmax"] as const).flatMap((op): OperatorCase[] => [
    { op, name: "last axis", inputs: [uniform([3, 5])] },
    { op, name: "channels", inputs: [uniform([2, 3, 2, 2])], attributes: { axis: 1 } },
    { op, name: "axis −2", inputs: [uniform([2, 3, 4], { low: -20, high: 20 })], attributes: { axis: -2 } },
  ]),
];
