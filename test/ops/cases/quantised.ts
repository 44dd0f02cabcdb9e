import { Tensor } from "../../../src/base/tensor.js";
import { floats, type OperatorCase, uniform } from "../operator-case.js";

const int8 = (dims: readonly number[], values: readonly number[]) => Tensor.from("int8", dims, values);
const uint8 = (dims: readonly number[], values: readonly number[]) => Tensor.from("uint8", dims, values);
const counting = (n: number, from = 0, step = 7) =>
  Array.from({ length: n }, (_, i) => ((from + i * step) % 256) - (from < 0 ? 128 : 0));

const image = uint8([1, 2, 4, 4], counting(32));
/** Seven bits: where the processor has no VNNI, the engine adds two products of an image's and a kernel's byte in 16 bits, and clips. */
const kernel = int8(
  [3, 2, 2, 2],
  counting(24, -1, 11).map((v) => Math.trunc(Math.max(-128, Math.min(127, v)) / 2)),
);

/** Integers instead of floats: none of them is differentiated. */
export const quantisedCases: readonly OperatorCase[] = [
  {
    op: "QuantizeLinear",
    name: "halves to even, out of range",
    inputs: [floats([6], [0.5, 1.5, -2.5, 300, -300, 3.2]), floats([], [1]), uint8([], [128])],
    constant: [1],
  },
  {
    op: "QuantizeLinear",
    name: "a scale to a channel",
    inputs: [uniform([2, 3, 2]), floats([3], [0.1, 0.02, 0.5]), int8([3], [0, 5, -7])],
    constant: [1],
  },
  {
    op: "QuantizeLinear",
    name: "no zero point",
    inputs: [uniform([4], { low: 0 }), floats([], [0.01])],
    constant: [1],
  },
  {
    op: "QuantizeLinear",
    name: "blocks, to int16",
    inputs: [uniform([2, 6]), floats([2, 2], [0.1, 0.2, 0.3, 0.4])],
    attributes: { axis: 1, block_size: 3, output_dtype: 5 },
    constant: [1],
    opset: 21,
  },
  {
    op: "DequantizeLinear",
    name: "blocks",
    inputs: [
      int8([4, 2], [1, -2, 3, -4, 5, -6, 7, -8]),
      floats([2, 2], [0.1, 0.2, 0.3, 0.4]),
      int8([2, 2], [0, 1, -1, 2]),
    ],
    attributes: { axis: 0, block_size: 2 },
    fed: [0],
    constant: [1],
    opset: 21,
  },
  { op: "DynamicQuantizeLinear", name: "both signs", inputs: [uniform([3, 4])], outputs: 3 },
  { op: "DynamicQuantizeLinear", name: "above 0 only", inputs: [uniform([5], { low: 1 })], outputs: 3 },
  {
    op: "ConvInteger",
    name: "zero points",
    inputs: [image, kernel, uint8([], [100]), int8([], [3])],
    fed: [0],
  },
  {
    op: "ConvInteger",
    name: "padding is the zero point",
    inputs: [image, kernel, uint8([], [100])],
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
    fed: [0],
  },
  {
    op: "MatMulInteger",
    name: "a zero point to a column",
    inputs: [
      uint8([2, 3], counting(6, 0, 40)),
      int8([3, 2], [1, -2, 3, -4, 5, -6]),
      uint8([], [12]),
      int8([2], [1, -3]),
    ],
    fed: [0],
  },
  {
    op: "QLinearConv",
    name: "a scale to a channel, with bias",
    inputs: [
      ...[image, floats([], [0.02]), uint8([], [120])],
      ...[kernel, floats([3], [0.01, 0.03, 0.002]), int8([3], [0, 0, 0])],
      ...[floats([], [0.3]), uint8([], [110]), Tensor.from("int32", [3], [100, -2000, 5])],
    ],
    attributes: { pads: [1, 0, 0, 1] },
    fed: [0],
    constant: [1, 4, 6],
  },
  {
    op: "QLinearMatMul",
    name: "matrices",
    inputs: [
      ...[uint8([2, 4], counting(8, 3, 30)), floats([], [0.007]), uint8([], [113])],
      ...[uint8([4, 3], counting(12, 5, 19)), floats([], [0.01]), uint8([], [114])],
      ...[floats([], [0.02]), uint8([], [118])],
    ],
    fed: [0],
    constant: [1, 4, 6],
  },
];
