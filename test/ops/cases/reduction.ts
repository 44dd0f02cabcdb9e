import { distinct, ints, type OperatorCase, uniform } from "../operator-case.js";

const ops = [
  "ReduceSum",
  "ReduceMean",
  "ReduceSumSquare",
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceProd",
  "ReduceMax",
  "ReduceMin",
];

export const reductionCases: readonly OperatorCase[] = ops.flatMap((op): OperatorCase[] => {
  const values = (dims: readonly number[]) =>
    op === "ReduceMax" || op === "ReduceMin"
      ? distinct(dims)
      : uniform(dims, op === "ReduceLogSum" ? { low: 0.3 } : { away: 0.1 });
  return [
    { op, name: "spatial axes, kept", inputs: [values([2, 3, 4, 2]), ints(2, 3)] },
    { op, name: "batch and space", inputs: [values([3, 2, 2, 2]), ints(0, 2, 3)] },
    {
      op,
      name: "negative axis, dropped",
      inputs: [values([2, 3, 4]), ints(-2)],
      attributes: { keepdims: 0 },
    },
    { op, name: "all axes", inputs: [values([2, 3, 2])], attributes: { keepdims: 0 } },
    { op, name: "all axes, kept", inputs: [values([2, 3])] },
    { op, name: "an axis of one", inputs: [values([2, 1, 3]), ints(1)] },
    { op, name: "no axes, no reduction", inputs: [values([2, 3])], attributes: { noop_with_empty_axes: 1 } },
  ];
});
