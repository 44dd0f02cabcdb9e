import type { DType } from "../base/dtype.js";
import { Random } from "../base/random.js";
import { sizeOf, Tensor } from "../base/tensor.js";

/** Draws a weight of this shape. */
export type Initializer = (random: Random, dims: readonly number[], dtype?: DType) => Tensor;

/**
 * In place of a source of random numbers: weights are zeros, which cost neither time nor memory. For graphs whose structure
 * and cost alone are wanted, and for those that take their weights from elsewhere.
 */
export const zeroWeights = new Random(0);

/** Normal with deviation √(2 / fan-out) (He et al. 2015), the field's default for convolutions before a ReLU. */
export const heNormal: Initializer = (random, dims, dtype) =>
  normal(random, dims, Math.sqrt(2 / (dims[0]! * sizeOf(dims.slice(2)))), dtype);

/** Normal with deviation √(2 / fan-in). */
export const heNormalFanIn: Initializer = (random, dims, dtype) =>
  normal(random, dims, Math.sqrt(2 / fanIn(dims)), dtype);

/** Uniform in ±1/√fan-in: PyTorch's default for convolutions and linear layers. */
export const lecunUniform: Initializer = (random, dims, dtype) =>
  uniform(random, dims, 1 / Math.sqrt(fanIn(dims)), dtype);

const fanIn = (dims: readonly number[]): number => sizeOf(dims.slice(1));

/** Uniform in ±bound. */
export const uniform = (random: Random, dims: readonly number[], bound: number, dtype?: DType): Tensor =>
  drawn(random, dims, dtype, () => random.uniform(-bound, bound));

export const normal = (random: Random, dims: readonly number[], deviation: number, dtype?: DType): Tensor =>
  drawn(random, dims, dtype, () => random.normal() * deviation);

export const normalOf =
  (deviation: number): Initializer =>
  (random, dims, dtype) =>
    normal(random, dims, deviation, dtype);

function drawn(
  random: Random,
  dims: readonly number[],
  dtype: DType = "float32",
  draw: () => number,
): Tensor {
  if (random === zeroWeights) return zeros(dims, dtype);
  const values = new (dtype === "float32" ? Float32Array : Float64Array)(sizeOf(dims));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return dtype === "float32" ? Tensor.of(dtype, dims, values) : Tensor.from(dtype, dims, values);
}

/** One block, which all share: to clear memory that nobody reads takes longer than all else of a graph. */
let block = new Float32Array(0);

function zeros(dims: readonly number[], dtype: DType): Tensor {
  const size = sizeOf(dims);
  if (dtype !== "float32") return Tensor.zeros(dtype, dims);
  if (block.length < size) block = new Float32Array(size);
  return Tensor.of(dtype, dims, block.subarray(0, size));
}

export function filled(dims: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  return Tensor.from(dtype, dims, new Float64Array(sizeOf(dims)).fill(value));
}
