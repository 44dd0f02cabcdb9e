import type { DType } from "../base/dtype.js";
import type { Random } from "../base/random.js";
import { sizeOf, Tensor } from "../base/tensor.js";

/** Normal with deviation √(2 / fan-out) (He et al. 2015), the field's default for convolutions before a ReLU. */
export function heNormal(random: Random, dims: readonly number[], dtype: DType = "float32"): Tensor {
  const fanOut = dims[0]! * sizeOf(dims.slice(2));
  return normal(random, dims, Math.sqrt(2 / fanOut), dtype);
}

/** Uniform in ±1/√fan-in: PyTorch's default for convolutions and linear layers. */
export function lecunUniform(random: Random, dims: readonly number[], dtype: DType = "float32"): Tensor {
  const bound = 1 / Math.sqrt(sizeOf(dims.slice(1)));
  return Tensor.from(
    dtype,
    dims,
    Float64Array.from({ length: sizeOf(dims) }, () => random.uniform(-bound, bound)),
  );
}

export function normal(
  random: Random,
  dims: readonly number[],
  deviation: number,
  dtype: DType = "float32",
): Tensor {
  return Tensor.from(
    dtype,
    dims,
    Float64Array.from({ length: sizeOf(dims) }, () => random.normal() * deviation),
  );
}

export function filled(dims: readonly number[], value: number, dtype: DType = "float32"): Tensor {
  return Tensor.from(dtype, dims, new Float64Array(sizeOf(dims)).fill(value));
}
