import { distinct, type OperatorCase, uniform } from "../operator-case.js";

const pools = (
  name: string,
  x: readonly number[],
  attributes: OperatorCase["attributes"],
): OperatorCase[] => [
  { op: "AveragePool", name, inputs: [uniform(x)], attributes },
  {
    op: "AveragePool",
    name: `${name}, padding counted`,
    inputs: [uniform(x)],
    attributes: { ...attributes, count_include_pad: 1 },
  },
  { op: "MaxPool", name, inputs: [distinct(x)], attributes },
];

export const poolingCases: readonly OperatorCase[] = [
  ...pools("2×2, stride 2", [2, 3, 4, 6], { kernel_shape: [2, 2], strides: [2, 2] }),
  ...pools("2×2, stride 2, a row left", [1, 2, 5, 7], { kernel_shape: [2, 2], strides: [2, 2] }),
  ...pools("3×3, stride 2, padded", [2, 2, 7, 8], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  ...pools("3×3, stride 1, padded", [1, 2, 4, 4], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
  ...pools("asymmetric pads", [1, 2, 5, 6], { kernel_shape: [2, 3], strides: [2, 1], pads: [0, 1, 1, 0] }),
  ...pools("ceil_mode", [1, 2, 6, 5], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }),
  ...pools("ceil_mode, padded", [1, 1, 6, 6], {
    kernel_shape: [3, 3],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    ceil_mode: 1,
  }),
  ...pools("SAME_UPPER", [1, 2, 5, 4], { kernel_shape: [3, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  ...pools("SAME_LOWER", [1, 2, 5, 4], { kernel_shape: [2, 2], strides: [1, 1], auto_pad: "SAME_LOWER" }),
  ...pools("stride larger than the kernel", [1, 2, 7, 7], { kernel_shape: [2, 2], strides: [3, 3] }),
  ...pools("one dimension", [2, 2, 7], { kernel_shape: [3], strides: [2] }),
  ...pools("three dimensions", [1, 2, 4, 4, 4], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] }),
  {
    op: "MaxPool",
    name: "dilation",
    inputs: [distinct([1, 2, 6, 6])],
    attributes: { kernel_shape: [2, 2], dilations: [2, 2], strides: [1, 2] },
  },
  {
    op: "MaxPool",
    name: "indices",
    inputs: [distinct([2, 2, 4, 4])],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    outputs: 2,
  },
  {
    op: "MaxPool",
    name: "indices, column by column",
    inputs: [distinct([2, 2, 4, 6])],
    attributes: { kernel_shape: [2, 2], strides: [2, 2], storage_order: 1 },
    outputs: 2,
  },
  { op: "GlobalAveragePool", name: "image", inputs: [uniform([2, 3, 4, 5])] },
  { op: "GlobalAveragePool", name: "line", inputs: [uniform([2, 3, 4])] },
  { op: "GlobalMaxPool", name: "image", inputs: [distinct([2, 3, 4, 5])] },
];
