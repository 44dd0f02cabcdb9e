import { bools, distinct, floats, ints, intTensor, type OperatorCase, uniform } from "../operator-case.js";

const places = intTensor([2, 3], [0, -1, 2, 1, 0, 3]);
const unique = intTensor([2, 2], [0, 2, 3, -3]);
const coordinates = intTensor([2, 2], [0, 1, 1, -2]);

/** Operators that take elements from places, and put them there. */
export const gatheringCases: readonly OperatorCase[] = [
  {
    op: "GatherElements",
    name: "last axis, an index twice",
    inputs: [uniform([2, 4]), intTensor([2, 3], [0, -1, 0, 1, 2, 3])],
    attributes: { axis: 1 },
  },
  { op: "GatherElements", name: "first axis", inputs: [uniform([4, 3]), places] },
  { op: "GatherND", name: "elements", inputs: [uniform([2, 3]), coordinates] },
  { op: "GatherND", name: "slices, one twice", inputs: [uniform([3, 2, 2]), intTensor([3, 1], [2, 0, 2])] },
  {
    op: "GatherND",
    name: "batch",
    inputs: [uniform([2, 3, 2]), intTensor([2, 2, 1], [0, 2, 1, 1])],
    attributes: { batch_dims: 1 },
  },
  ...["none", "add", "mul", "max", "min"].flatMap((reduction): OperatorCase[] => [
    {
      op: "ScatterElements",
      name: reduction,
      inputs: [distinct([2, 4]), unique, uniform([2, 2], { away: 0.1 })],
      attributes: { axis: 1, reduction },
    },
    {
      op: "ScatterND",
      name: `${reduction}, elements`,
      inputs: [distinct([2, 3]), coordinates, uniform([2], { away: 0.1 })],
      attributes: { reduction },
    },
    {
      op: "ScatterND",
      name: `${reduction}, slices`,
      inputs: [distinct([3, 2, 2]), intTensor([2, 1], [2, 0]), uniform([2, 2, 2], { away: 0.1 })],
      attributes: { reduction },
    },
  ]),
  {
    op: "ScatterElements",
    name: "add, one place twice",
    inputs: [uniform([3, 2]), intTensor([3, 2], [0, 1, 0, 1, 2, 1]), uniform([3, 2])],
    attributes: { reduction: "add" },
  },
  { op: "TopK", name: "largest", inputs: [distinct([3, 5]), ints(2)], outputs: 2 },
  {
    op: "TopK",
    name: "smallest, first axis",
    inputs: [distinct([4, 3]), ints(3)],
    attributes: { axis: 0, largest: 0 },
    outputs: 2,
  },
  { op: "TopK", name: "ties by place", inputs: [floats([5], [1, 3, 3, 2, 3]), ints(3)], outputs: 2, wrt: [] },
  {
    op: "NonZero",
    name: "coordinates",
    inputs: [floats([2, 3], [1, 0, 2, 0, 0, 3])],
    opensSizes: true,
  },
  {
    op: "Compress",
    name: "an axis",
    inputs: [uniform([2, 3, 2]), bools([3], [1, 0, 1])],
    attributes: { axis: 1 },
  },
  {
    op: "Compress",
    name: "elements, a short condition",
    inputs: [uniform([2, 3]), bools([4], [1, 0, 0, 1])],
  },
  { op: "Trilu", name: "upper", inputs: [uniform([2, 3, 4])] },
  {
    op: "Trilu",
    name: "lower, above the diagonal",
    inputs: [uniform([4, 3]), intTensor([], [1])],
    attributes: { upper: 0 },
  },
  { op: "EyeLike", name: "above the diagonal", inputs: [uniform([3, 4])], attributes: { k: 1 } },
  ...[{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }].flatMap(
    (attributes): OperatorCase[] => [
      {
        op: "CumSum",
        name: Object.keys(attributes).join() || "plain",
        inputs: [uniform([2, 4]), intTensor([], [1])],
        attributes,
      },
      {
        op: "CumProd",
        name: Object.keys(attributes).join() || "plain",
        inputs: [uniform([3, 2], { away: 0.2 }), intTensor([], [0])],
        attributes,
        opset: 26,
        engineLacks: "ONNX Runtime 1.30 has no CumProd",
      },
    ],
  ),
  {
    op: "ReverseSequence",
    name: "lengths of their own",
    inputs: [uniform([4, 3, 2]), ints(4, 1, 2)],
  },
  {
    op: "ReverseSequence",
    name: "batch first",
    inputs: [uniform([2, 4]), ints(3, 4)],
    attributes: { batch_axis: 0, time_axis: 1 },
  },
];
