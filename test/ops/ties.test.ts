import { expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Value } from "../../src/graph/builder.js";
import type { AttributeInput } from "../../src/graph/ir.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";

/** dx for dy = 1, at a point where there is no derivative and a rule must choose. */
function chosen(
  op: string,
  values: readonly (readonly number[])[],
  dims: readonly number[],
  attributes: Record<string, AttributeInput> = {},
  constants: readonly Tensor[] = [],
): number[][] {
  const b = graphBuilder();
  const inputs = values.map((_, i) => b.input(`x${i}`, "float64", dims));
  const y = b.add(op, [...inputs, ...constants.map((t) => b.constant(t))], attributes);
  const ones = Tensor.from("float64", y.dims, new Float64Array(y.dims.reduce((a, d) => a * d, 1)).fill(1));
  const gradients = differentiate(b, undefined, inputs, {
    seeds: new Map<Value, Value>([[y, b.constant(ones)]]),
  });
  const feeds = new Map(values.map((v, i) => [`x${i}`, Tensor.from("float64", dims, v)]));
  const all = evaluateGraph(b.build(), feeds);
  return gradients.map((g) => Array.from(all.get(g!.name)!.numbers()));
}

const pool = { kernel_shape: [2, 2], strides: [2, 2] };

it("MaxPool: the first of several takes it, as in PyTorch", () => {
  expect(chosen("MaxPool", [[1, 3, 3, 3]], [1, 1, 2, 2], pool)).toEqual([[0, 1, 0, 0]]);
  expect(chosen("MaxPool", [[0, 0, 0, 0]], [1, 1, 2, 2], pool)).toEqual([[1, 0, 0, 0]]);
});

it("MaxPool: windows that overlap add up", () => {
  const attributes = { kernel_shape: [1, 2], strides: [1, 1] };
  expect(chosen("MaxPool", [[1, 2, 2, 1]], [1, 1, 1, 4], attributes)).toEqual([[0, 2, 1, 0]]);
});

it("ReduceMax and GlobalMaxPool: several share it", () => {
  const axes = [Tensor.from("int64", [1], [1])];
  expect(chosen("ReduceMax", [[1, 3, 3, 2]], [1, 4], {}, axes)).toEqual([[0, 0.5, 0.5, 0]]);
  expect(chosen("GlobalMaxPool", [[5, 5, 5, 5]], [1, 1, 2, 2])).toEqual([[0.25, 0.25, 0.25, 0.25]]);
});

it("Relu: nothing at 0", () => {
  expect(chosen("Relu", [[-1, 0, 2]], [3])).toEqual([[0, 0, 1]]);
});

it("Clip: it passes on the bounds, as in PyTorch", () => {
  const bounds = [Tensor.scalar("float64", 0), Tensor.scalar("float64", 6)];
  expect(chosen("Clip", [[-1, 0, 3, 6, 7]], [5], {}, bounds)).toEqual([[0, 1, 1, 1, 0]]);
});

it("Abs: nothing at 0", () => {
  expect(chosen("Abs", [[-2, 0, 2]], [3])).toEqual([[-1, 0, 1]]);
});
