import { type OperatorCase, uniform } from "../operator-case.js";

const conv = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: OperatorCase["attributes"] = {},
  bias = false,
): OperatorCase => ({
  op: "Conv",
  name,
  inputs: [uniform(x), uniform(w), ...(bias ? [uniform([w[0]!])] : [])],
  attributes,
});

const transposed = (
  name: string,
  x: readonly number[],
  w: readonly number[],
  attributes: NonNullable<OperatorCase["attributes"]> = {},
  bias = false,
): OperatorCase => ({
  op: "ConvTranspose",
  name,
  inputs: [
    uniform(x),
    uniform(w),
    ...(bias ? [uniform([w[1]! * ((attributes.group as number | undefined) ?? 1)])] : []),
  ],
  attributes,
});

export const convolutionCases: readonly OperatorCase[] = [
  conv("3×3", [2, 3, 5, 6], [4, 3, 3, 3]),
  conv("padded, with bias", [2, 3, 5, 5], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }, true),
  conv("1×1", [2, 3, 4, 4], [5, 3, 1, 1]),
  conv("1×1, stride 2", [2, 3, 5, 5], [4, 3, 1, 1], { strides: [2, 2] }),
  conv("1×1, stride 2, even size", [1, 3, 6, 4], [4, 3, 1, 1], { strides: [2, 2] }),
  conv("1×1, stride 2, groups", [2, 4, 5, 6], [6, 2, 1, 1], { strides: [2, 2], group: 2 }),
  conv("1×1, padded", [1, 2, 3, 3], [3, 2, 1, 1], { pads: [1, 1, 1, 1] }),
  conv("stride 2", [2, 3, 7, 7], [4, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }, true),
  conv("stride 2 that leaves a row", [1, 2, 8, 8], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv("stride 3 that leaves two rows", [1, 2, 9, 8], [3, 2, 2, 3], { strides: [3, 3] }),
  conv("stride larger than the kernel", [1, 2, 9, 9], [3, 2, 2, 2], { strides: [4, 3] }),
  conv("7×7, stride 2, padding 3", [1, 3, 12, 12], [4, 3, 7, 7], { strides: [2, 2], pads: [3, 3, 3, 3] }),
  conv("dilation 2", [2, 2, 7, 7], [3, 2, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }),
  conv("stride 2, dilation 2", [1, 2, 9, 9], [3, 2, 3, 3], {
    dilations: [2, 2],
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  }),
  conv("groups", [2, 4, 5, 5], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }, true),
  conv("groups, stride 2", [2, 4, 6, 6], [6, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv("depthwise", [2, 4, 5, 5], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }),
  conv("depthwise, multiplier 2", [1, 3, 5, 5], [6, 1, 3, 3], { group: 3, strides: [2, 2] }),
  conv("asymmetric pads", [1, 2, 5, 6], [3, 2, 3, 3], { pads: [0, 2, 1, 0] }),
  conv("more padding than the kernel reaches", [1, 2, 4, 4], [2, 2, 2, 2], { pads: [2, 2, 2, 2] }),
  conv("oblong kernel", [1, 2, 6, 5], [3, 2, 1, 3], { pads: [0, 1, 0, 1] }),
  conv("SAME_UPPER", [1, 2, 5, 6], [3, 2, 3, 3], { auto_pad: "SAME_UPPER", strides: [2, 2] }),
  conv("SAME_LOWER", [1, 2, 6, 5], [3, 2, 2, 4], { auto_pad: "SAME_LOWER" }),
  conv("VALID", [1, 2, 6, 5], [3, 2, 2, 3], { auto_pad: "VALID", strides: [2, 1] }),
  conv("one dimension", [2, 4, 9], [6, 2, 3], { group: 2, strides: [2], pads: [1, 1] }, true),
  conv("three dimensions", [2, 2, 4, 5, 4], [3, 2, 3, 3, 2], { pads: [1, 1, 0, 1, 1, 1] }),
  conv("three dimensions, groups, stride", [1, 4, 5, 5, 5], [4, 2, 3, 3, 3], {
    group: 2,
    strides: [2, 2, 2],
    pads: [1, 1, 1, 1, 1, 1],
  }),

  transposed("3×3", [2, 3, 4, 5], [3, 2, 3, 3], {}, true),
  transposed("stride 2", [2, 3, 4, 4], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  transposed("output_padding", [1, 3, 4, 4], [3, 2, 3, 3], {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
    output_padding: [1, 1],
  }),
  transposed("dilation", [1, 2, 4, 4], [2, 3, 3, 3], { dilations: [2, 2], pads: [1, 0, 1, 2] }),
  transposed("groups", [2, 4, 4, 3], [4, 3, 3, 3], { group: 2, strides: [2, 2] }, true),
  transposed("depthwise", [1, 3, 4, 4], [3, 1, 2, 2], { group: 3, strides: [2, 2] }),
  transposed("kernel smaller than the stride", [1, 2, 3, 3], [2, 2, 1, 2], { strides: [3, 3] }),
  transposed("output_shape", [1, 2, 4, 4], [2, 2, 3, 3], { strides: [2, 2], output_shape: [8, 8] }),
  transposed("output_shape, odd padding, SAME_UPPER", [1, 2, 4, 4], [2, 2, 4, 4], {
    strides: [2, 2],
    output_shape: [9, 7],
    auto_pad: "SAME_UPPER",
  }),
  transposed("SAME_UPPER", [1, 2, 4, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: "SAME_UPPER" }),
  transposed("SAME_LOWER", [1, 2, 4, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: "SAME_LOWER" }),
  transposed("VALID", [1, 2, 4, 3], [2, 2, 3, 3], { strides: [2, 2], auto_pad: "VALID" }),
  transposed("one dimension", [2, 4, 5], [4, 2, 3], { group: 2, strides: [2], pads: [1, 1] }),
  transposed("three dimensions", [1, 2, 3, 3, 3], [2, 2, 2, 3, 2], { strides: [2, 1, 2] }),
  {
    op: "DeformConv",
    name: "groups, offsets of two parts, mask, bias",
    inputs: [
      ...[uniform([2, 4, 5, 6]), uniform([6, 2, 3, 3]), uniform([2, 36, 3, 3])],
      ...[uniform([6]), uniform([2, 18, 3, 3], { low: 0 })],
    ],
    attributes: { group: 2, offset_group: 2, strides: [2, 2], pads: [1, 1, 1, 1] },
    opset: 19,
  },
  {
    op: "DeformConv",
    name: "plain",
    inputs: [uniform([1, 2, 4, 4]), uniform([3, 2, 2, 2]), uniform([1, 8, 3, 3])],
    opset: 19,
  },
];
