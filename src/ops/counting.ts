import { sizeOf } from "../base/tensor.js";

/** Calls f(index, i) for every position of a tensor of `dims`, row-major. `index` is one array that is changed in place. */
export function forEachIndex(
  dims: readonly number[],
  f: (index: readonly number[], i: number) => void,
): void {
  const index = new Array<number>(dims.length).fill(0);
  const n = sizeOf(dims);
  for (let i = 0; i < n; i++) {
    f(index, i);
    for (let a = dims.length - 1; a >= 0; a--) {
      if (++index[a]! < dims[a]!) break;
      index[a] = 0;
    }
  }
}
