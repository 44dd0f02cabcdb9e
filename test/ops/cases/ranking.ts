import { Tensor } from "../../../src/base/tensor.js";
import { distinct, floats, intTensor, type OperatorCase, uniform } from "../operator-case.js";

export const rankingCases: readonly OperatorCase[] = [
  ...["ArgMax", "ArgMin"].flatMap((op): OperatorCase[] => [
    { op, name: "first axis", inputs: [distinct([3, 4])] },
    { op, name: "classes", inputs: [distinct([3, 5])], attributes: { axis: 1, keepdims: 0 } },
    { op, name: "negative axis", inputs: [distinct([2, 3, 4])], attributes: { axis: -2 } },
    {
      op,
      name: "the first of several",
      inputs: [floats([2, 4], [1, 3, 3, 1, 2, 2, 2, 2])],
      attributes: { axis: 1 },
    },
    {
      op,
      name: "the last of several",
      inputs: [floats([2, 4], [1, 3, 3, 1, 2, 2, 2, 2])],
      attributes: { axis: 1, select_last_index: 1 },
    },
  ]),
  {
    op: "OneHot",
    name: "labels",
    inputs: [intTensor([4], [0, 2, -1, 1]), intTensor([], [3]), floats([2], [0, 1])],
    fed: [0],
  },
  {
    op: "OneHot",
    name: "axis 1, other values, out of range",
    inputs: [intTensor([2, 2], [0, 2, 7, 1]), intTensor([], [3]), floats([2], [-1, 0.5])],
    attributes: { axis: 1 },
    fed: [0],
  },
  {
    op: "DequantizeLinear",
    name: "one scale",
    inputs: [
      Tensor.from("uint8", [2, 3], [0, 1, 2, 128, 254, 255]),
      floats([], [0.5]),
      Tensor.from("uint8", [], [128]),
    ],
    fed: [0],
    constant: [1],
  },
  {
    op: "DequantizeLinear",
    name: "a scale to a row",
    inputs: [Tensor.from("int8", [2, 3], [0, 1, -2, 127, -128, 5]), floats([2], [0.5, 2])],
    attributes: { axis: 0 },
    fed: [0],
    constant: [1],
  },
  { op: "DepthToSpace", name: "DCR", inputs: [uniform([2, 8, 2, 3])], attributes: { blocksize: 2 } },
  {
    op: "DepthToSpace",
    name: "CRD",
    inputs: [uniform([1, 9, 2, 2])],
    attributes: { blocksize: 3, mode: "CRD" },
  },
  { op: "SpaceToDepth", name: "block 2", inputs: [uniform([2, 3, 4, 6])], attributes: { blocksize: 2 } },
];
