import { float } from "../../../src/graph/ir.js";
import { floats, ints, type OperatorCase, uniform } from "../operator-case.js";

const byScales = (
  name: string,
  x: readonly number[],
  scales: readonly number[],
  attributes: OperatorCase["attributes"] = {},
): OperatorCase => ({
  op: "Resize",
  name: `${name} × ${scales.join(" ")}`,
  inputs: [uniform(x), undefined, floats([scales.length], scales)],
  attributes,
  constant: [2],
});

const toSizes = (
  name: string,
  x: readonly number[],
  sizes: readonly number[],
  attributes: OperatorCase["attributes"] = {},
): OperatorCase => ({
  op: "Resize",
  name: `${name} to ${sizes.join(" ")}`,
  inputs: [uniform(x), undefined, undefined, ints(...sizes)],
  attributes,
});

const linear = { mode: "linear" };
const cubic = { mode: "cubic" };

export const resizeCases: readonly OperatorCase[] = [
  byScales("nearest", [1, 2, 3, 3], [1, 1, 2, 2]),
  byScales("nearest, as PyTorch writes it", [2, 2, 3, 2], [1, 1, 2, 3], {
    coordinate_transformation_mode: "asymmetric",
    nearest_mode: "floor",
  }),
  byScales("nearest", [1, 1, 4, 6], [1, 1, 0.5, 0.5]),
  ...["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"].map((nearest_mode) =>
    toSizes(`nearest, ${nearest_mode}`, [1, 1, 4, 5], [1, 1, 7, 3], { nearest_mode }),
  ),
  ...["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"].flatMap((place) => [
    byScales(`linear, ${place}`, [1, 2, 3, 4], [1, 1, 2, 2], {
      ...linear,
      coordinate_transformation_mode: place,
    }),
    toSizes(`linear, ${place}`, [1, 2, 5, 4], [1, 2, 3, 7], {
      ...linear,
      coordinate_transformation_mode: place,
    }),
  ]),
  byScales("linear, one dimension", [2, 2, 4], [1, 1, 2.5], linear),
  byScales("cubic", [1, 1, 4, 4], [1, 1, 2, 1.5], cubic),
  byScales("cubic, outside left out", [1, 1, 4, 4], [1, 1, 2, 2], { ...cubic, exclude_outside: 1 }),
  toSizes("linear, chosen axes", [1, 2, 3, 4], [6, 5], { ...linear, axes: [2, 3] }),
  byScales("nearest, chosen axes", [1, 2, 3, 4], [2], { axes: [-1] }),
  ...["linear", "cubic"].flatMap((mode) => [
    byScales(`${mode}, antialias`, [1, 1, 7, 8], [1, 1, 0.6, 0.5], { mode, antialias: 1 }),
    toSizes(`${mode}, antialias, larger one way`, [1, 2, 6, 4], [1, 2, 3, 7], { mode, antialias: 1 }),
  ]),
  ...["not_larger", "not_smaller"].map((keep_aspect_ratio_policy) =>
    toSizes(`linear, ${keep_aspect_ratio_policy}`, [1, 2, 3, 4], [7, 6], {
      ...linear,
      axes: [2, 3],
      keep_aspect_ratio_policy,
    }),
  ),
  ...["nearest", "linear", "cubic"].map(
    (mode): OperatorCase => ({
      op: "Resize",
      name: `${mode}, cropped`,
      inputs: [
        uniform([1, 1, 4, 5]),
        floats([8], [0, 0, 0.3, -0.1, 1, 1, 0.7, 1.2]),
        undefined,
        ints(1, 1, 3, 4),
      ],
      attributes: {
        mode,
        coordinate_transformation_mode: "tf_crop_and_resize",
        extrapolation_value: float(10),
      },
      constant: [1],
    }),
  ),
];
