import { float } from "../../../src/graph/ir.js";
import { distinct, floats, ints, intTensor, type OperatorCase, uniform } from "../operator-case.js";

const boxes = floats(
  [1, 6, 4],
  [...[0, 0, 1, 1, 0, 0.1, 1, 1.1, 0, -0.1, 1, 0.9], ...[0, 10, 1, 11, 0, 10.1, 1, 11.1, 1, 101, 0, 100]],
);
const scores = floats([1, 2, 6], [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.1, 0.2, 0.9, 0.8, 0.85, 0.05]);
// The last has no width.
const regions = floats([4, 4], [0.5, 0.75, 6.5, 5.25, 2, 2, 4, 7, -3, 1, 2.5, 12, 3, 1, 3, 6]);

const suppression = (name: string, more: Partial<OperatorCase> = {}): OperatorCase => ({
  op: "NonMaxSuppression",
  name,
  inputs: [boxes, scores, ints(3), floats([1], [0.5]), floats([1], [0.15])],
  constant: [3, 4],
  opensSizes: true,
  ...more,
});

const align = (name: string, attributes: OperatorCase["attributes"]): OperatorCase => ({
  op: "RoiAlign",
  name,
  inputs: [uniform([2, 2, 8, 7]), regions, ints(0, 1, 1, 0)],
  wrt: [0],
  attributes: { output_height: 2, output_width: 3, ...attributes },
});

/** Whether it is a place in an image of 4 or 5 pixels a side that is no corner of an interpolation, nor near one. */
const isSmooth = (g: number): boolean =>
  [4, 5].every((size) =>
    [((g + 1) / 2) * (size - 1), ((g + 1) * size - 1) / 2].every(
      (place) => Math.abs(2 * place - Math.round(2 * place)) > 0.02,
    ),
  );
const grid = floats(
  [2, 3, 4, 2],
  Array.from(uniform([400], { low: -1.4, high: 1.4 }).numbers()).filter(isSmooth),
);
const sample = (mode: string, padding_mode: string, align_corners: number): OperatorCase => ({
  op: "GridSample",
  name: `${mode}, ${padding_mode}, align_corners ${align_corners}`,
  inputs: [uniform([2, 2, 4, 5]), grid],
  attributes: { mode, padding_mode, align_corners },
});

/** What detectors and spatial transformers have. */
export const detectionCases: readonly OperatorCase[] = [
  suppression("two classes"),
  suppression("centre and size", { attributes: { center_point_box: 1 } }),
  suppression("the best only", { inputs: [boxes, scores, ints(1), floats([1], [0])], constant: [3] }),
  align("average", { spatial_scale: float(0.75) }),
  align("two samples to a cell", { sampling_ratio: 2, coordinate_transformation_mode: "output_half_pixel" }),
  align("one sample to a pixel", { coordinate_transformation_mode: "output_half_pixel" }),
  align("four samples to a cell, half pixels", { sampling_ratio: 2, spatial_scale: float(0.5) }),
  { ...align("largest", { mode: "max", sampling_ratio: 2 }), wrt: [] },
  {
    op: "MaxRoiPool",
    name: "two regions",
    inputs: [uniform([2, 2, 6, 6]), floats([2, 5], [0, 1, 1, 4, 5, 1, 0, 2, 8, 11])],
    attributes: { pooled_shape: [2, 2], spatial_scale: float(0.5) },
  },
  ...["bilinear", "nearest", "bicubic"].flatMap((mode) =>
    ["zeros", "border", "reflection"].flatMap((padding) => [
      sample(mode, padding, 0),
      sample(mode, padding, 1),
    ]),
  ),
  {
    op: "GridSample",
    name: "volume",
    inputs: [uniform([1, 2, 3, 3, 4]), uniform([1, 2, 2, 3, 3], { low: -1.2, high: 1.2 })],
    opset: 20,
  },
  ...[0, 1].map(
    (align_corners): OperatorCase => ({
      op: "AffineGrid",
      name: `image, align_corners ${align_corners}`,
      inputs: [uniform([2, 2, 3]), ints(2, 1, 3, 4)],
      attributes: { align_corners },
      opset: 20,
    }),
  ),
  { op: "AffineGrid", name: "volume", inputs: [uniform([1, 3, 4]), ints(1, 1, 2, 3, 2)], opset: 20 },
  {
    op: "Col2Im",
    name: "overlapping, padded",
    inputs: [uniform([2, 12, 6]), ints(4, 4), ints(2, 3)],
    attributes: { pads: [1, 0, 0, 1], strides: [2, 1] },
  },
  {
    op: "CenterCropPad",
    name: "cut and padded",
    inputs: [uniform([5, 4, 3]), ints(2, 7)],
    attributes: { axes: [0, 2] },
  },
  { op: "CenterCropPad", name: "all axes", inputs: [uniform([3, 4]), ints(6, 1)] },
  {
    op: "MaxUnpool",
    name: "2×2",
    inputs: [uniform([1, 1, 2, 2]), intTensor([1, 1, 2, 2], [5, 3, 8, 15])],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    op: "MaxUnpool",
    name: "a larger image",
    inputs: [uniform([1, 1, 2, 2]), intTensor([1, 1, 2, 2], [5, 3, 8, 15]), ints(1, 1, 5, 5)],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    wrt: [],
    engineLacks:
      "ONNX Runtime counts the indices in the larger image, ONNX's cases in the one that the window leads back to",
  },
  ...[1, 2, 3].map(
    (p): OperatorCase => ({
      op: "LpPool",
      name: `p = ${p}`,
      inputs: [uniform([2, 2, 5, 6], { away: 0.1 })],
      attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0], p },
    }),
  ),
  ...[1, 2, 3].map(
    (p): OperatorCase => ({
      op: "GlobalLpPool",
      name: `p = ${p}`,
      inputs: [uniform([2, 2, 3, 2], { away: 0.1 })],
      attributes: { p },
    }),
  ),
  { op: "Hardmax", name: "last axis, a tie", inputs: [floats([2, 3], [1, 3, 3, 2, 0, 1])] },
  { op: "Hardmax", name: "first axis", inputs: [distinct([3, 4])], attributes: { axis: 0 } },
];
