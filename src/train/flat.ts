import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { reshape, split } from "../ops/emit.js";

/**
 * Many small tensors as one long vector: the optimizer then is a handful of passes over one buffer instead of as many
 * per parameter, and the host carries one tensor from step to step.
 */
export interface FlatLayout {
  readonly entries: readonly {
    readonly name: string;
    readonly dims: readonly number[];
    readonly at: number;
  }[];
  readonly size: number;
}

export function flatLayout(tensors: Iterable<readonly [name: string, dims: readonly number[]]>): FlatLayout {
  let size = 0;
  const entries = [];
  for (const [name, dims] of tensors) {
    entries.push({ name, dims, at: size });
    size += sizeOf(dims);
  }
  return { entries, size };
}

/** (size) from the named tensors. */
export function pack(layout: FlatLayout, tensors: ReadonlyMap<string, Tensor>): Tensor {
  const data = new Float32Array(layout.size);
  for (const { name, at } of layout.entries) data.set(tensors.get(name)!.numbers(), at);
  return Tensor.of("float32", [layout.size], data);
}

/** The named tensors, copied out of the vector. */
export function unpack(layout: FlatLayout, flat: Tensor): Map<string, Tensor> {
  const data = flat.data as Float32Array;
  return new Map(
    layout.entries.map(({ name, dims, at }) => [
      name,
      Tensor.of("float32", dims, data.slice(at, at + sizeOf(dims))),
    ]),
  );
}

/** One number for each element, from one for each tensor. */
export function spreadOver(layout: FlatLayout, f: (name: string, dims: readonly number[]) => number): Tensor {
  const data = new Float32Array(layout.size);
  for (const { name, dims, at } of layout.entries) data.fill(f(name, dims), at, at + sizeOf(dims));
  return Tensor.of("float32", [layout.size], data);
}

/** The named values, cut from the vector inside a graph. */
export function unpackValues(layout: FlatLayout, flat: Value): Map<string, Value> {
  const parts = split(
    flat,
    layout.entries.map((e) => sizeOf(e.dims)),
    0,
  );
  return new Map(layout.entries.map(({ name, dims }, i) => [name, reshape(parts[i]!, dims)]));
}
