import { bools, floats, type OperatorCase, uniform } from "../operator-case.js";

const signs = bools([2, 3], [1, 0, 0, 1, 1, 0]);

export const selectionCases: readonly OperatorCase[] = [
  { op: "Where", name: "same shapes", inputs: [signs, uniform([2, 3]), uniform([2, 3])] },
  { op: "Where", name: "broadcast", inputs: [bools([3], [1, 0, 1]), uniform([2, 1]), uniform([])] },
  {
    op: "Clip",
    name: "both bounds",
    inputs: [uniform([3, 4]), floats([], [-0.5]), floats([], [1])],
    wrt: [0],
  },
  {
    op: "Clip",
    name: "ReLU6",
    inputs: [uniform([3, 4], { low: -3, high: 9 }), floats([], [0]), floats([], [6])],
    wrt: [0],
  },
  { op: "Clip", name: "lower bound", inputs: [uniform([3, 4]), floats([], [0.25])], constant: [1] },
  {
    op: "Clip",
    name: "upper bound",
    inputs: [uniform([3, 4]), undefined, floats([], [0.25])],
    constant: [2],
  },
  { op: "Clip", name: "no bounds", inputs: [uniform([3, 4])] },
  {
    op: "PRelu",
    name: "a slope to a channel",
    inputs: [uniform([2, 3, 2, 2], { away: 0.01 }), uniform([3, 1, 1])],
  },
  { op: "PRelu", name: "one slope", inputs: [uniform([2, 3], { away: 0.01 }), uniform([1])] },
  { op: "PRelu", name: "a slope to an element", inputs: [uniform([2, 3], { away: 0.01 }), uniform([2, 3])] },
  { op: "Dropout", name: "inference", inputs: [uniform([2, 3]), floats([], [0.3])], constant: [1] },
  { op: "Dropout", name: "inference, with mask", inputs: [uniform([2, 3])], outputs: 2 },
];
