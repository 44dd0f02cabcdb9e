import { intTensor, type OperatorCase, uniform } from "../operator-case.js";

const labels = intTensor([3], [1, 0, 2]);
const map = intTensor([2, 2, 3], [0, 1, 2, 2, -1, 0, 1, 1, 3, 0, 2, 3]);
const weights = uniform([4], { low: 0.3 });

const loss = (name: string, more: Partial<OperatorCase>): OperatorCase[] =>
  ["NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"].map((op) => ({
    op,
    name,
    inputs: [uniform([3, 4]), labels],
    ...more,
  }));

export const lossCases: readonly OperatorCase[] = [
  ...["mean", "sum", "none"].flatMap((reduction) => [
    ...loss(reduction, { attributes: { reduction } }),
    ...loss(`${reduction}, pixels, weights, one label ignored`, {
      inputs: [uniform([2, 4, 2, 3]), map, weights],
      attributes: { reduction, ignore_index: -1 },
      constant: [2],
    }),
    ...loss(`${reduction}, a class ignored`, {
      inputs: [uniform([3, 4]), labels, weights],
      attributes: { reduction, ignore_index: 2 },
      constant: [2],
    }),
  ]),
  {
    op: "SoftmaxCrossEntropyLoss",
    name: "with the logarithms",
    inputs: [uniform([3, 4]), labels],
    outputs: 2,
  },
];
