import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { trainableParts, withInitializers } from "../../src/train/parts.js";

/*
 * Weights by one formula of (name, index), the same in describe_torchvision.py: large networks can be compared with their public
 * implementations without keeping their weights.
 */

/** In [−1, 1): FNV-1a of the name, plus index times the golden ratio, mixed by murmur3's finaliser. */
export function formulaUniform(name: string, size: number): Float64Array {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) h = Math.imul(h ^ byte, 0x01000193);
  const values = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let x = (h + Math.imul(i, 0x9e3779b9)) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    values[i] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return values;
}

/** Variance 2 / fan-in for weights, so that features keep their scale; `gain` scales what norms let pass. */
function formulaTensor(name: string, dims: readonly number[], gain: number): Tensor {
  const v = formulaUniform(name, sizeOf(dims));
  const scale = Math.sqrt(6 / sizeOf(dims.slice(1)));
  const of = (x: number): number => {
    if (dims.length > 1) return x * scale;
    if (name.endsWith("running_var")) return 1 + x / 2;
    return name.endsWith("weight") ? gain * (1 + x / 4) : x / 10;
  };
  const data = new Float32Array(v.length);
  for (let i = 0; i < v.length; i++) data[i] = of(v[i]!);
  return Tensor.of("float32", dims, data);
}

/** The network with all that is learned or kept as a statistic set by the formula. */
export function withFormulaWeights(graph: Graph, gain: number): Graph {
  const { parameters, statistics } = trainableParts(graph);
  const tensors = new Map<string, Tensor>();
  for (const [name, { dims }] of [...parameters, ...statistics]) {
    tensors.set(name, formulaTensor(name, dims, gain));
  }
  return withInitializers(graph, tensors);
}

/** One image of unit variance. */
export const formulaImage = (size: number): Tensor =>
  Tensor.of(
    "float32",
    [1, 3, size, size],
    Float32Array.from(formulaUniform("input", 3 * size * size), (v) => v * Math.sqrt(3)),
  );
