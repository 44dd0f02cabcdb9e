import { isFloat } from "../base/dtype.js";
import type { Tensor } from "../base/tensor.js";

export interface TopClass {
  readonly class: number;
  readonly value: number;
}

const MOST_ROWS = 8;

/** The five largest entries of each row, where a tensor looks like class scores: floats (N, K) of few rows. */
export function topOf(tensor: Tensor): { top?: readonly (readonly TopClass[])[] } {
  const [rows, classes] = tensor.dims;
  if (tensor.dims.length !== 2 || !isFloat(tensor.dtype) || classes! < 2 || rows! > MOST_ROWS) return {};
  const values = tensor.numbers();
  const top = Array.from({ length: rows! }, (_, r) =>
    Array.from({ length: classes! }, (_, k) => ({ class: k, value: values[r * classes! + k]! }))
      .sort((a, b) => b.value - a.value)
      .slice(0, 5),
  );
  return { top };
}
