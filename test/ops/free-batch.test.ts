import { expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { freeBatch } from "../../src/ops/free-batch.js";
import { graphBuilder } from "../../src/ops/index.js";

/** Images (1, 3, 2, 2) → (1, 12), by a Reshape that names both sizes; `tail` adds what comes after. */
function fixedGraph(tail: "none" | "mean") {
  const b = graphBuilder();
  const x = b.input("x", "float32", [1, 3, 2, 2]);
  let y = b.add("Reshape", [x, b.ints([1, 12])]);
  if (tail === "mean")
    y = b.add("Reshape", [b.add("ReduceMean", [y, b.ints([0])], { keepdims: 0 }), b.ints([1, 12])]);
  b.output(y, "y");
  return b.build();
}

it("opens a batch that a Reshape names by number", () => {
  const graph = freeBatch(fixedGraph("none"))!;
  expect(graph.inputs[0]!.type!.shape).toEqual(["N", 3, 2, 2]);
  expect(graph.outputs[0]!.type!.shape).toEqual(["N", 12]);
  const x = Tensor.from(
    "float32",
    [5, 3, 2, 2],
    Float64Array.from({ length: 60 }, (_, i) => i),
  );
  expect(evaluateGraph(graph, new Map([["x", x]])).get("y")!.dims).toEqual([5, 12]);
});

it("gives up where the batch is worked in", () => {
  expect(freeBatch(fixedGraph("mean"))).toBeUndefined();
});
