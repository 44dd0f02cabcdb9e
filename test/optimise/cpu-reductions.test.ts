import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/ir.js";
import { reduceSum, reduceSumSquare } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import { cpuReductions } from "../../src/optimise/cpu-reductions.js";
import { expectClose } from "../ops/close.js";
import { normal, run } from "./conv-run.js";

const dims = [3, 4, 5, 6];

function reduction(
  op: "ReduceSum" | "ReduceSumSquare",
  axes: readonly number[],
  keep: boolean,
  of = dims,
): Graph {
  const b = graphBuilder({ name: "reduction" });
  const x = b.input("x", "float32", of);
  // Behind a value of the graph's own, as all are that a step sums up.
  const own = b.add("Relu", [x]);
  b.output((op === "ReduceSum" ? reduceSum : reduceSumSquare)(own, axes, keep), "y");
  return b.build();
}
const ops = (graph: Graph) => graph.nodes.map((n) => n.op);

describe("reductions for the CPU", () => {
  it("compute the same", async () => {
    for (const keep of [true, false])
      for (const [op, axes] of [
        ["ReduceSum", [0, 2, 3]],
        ["ReduceSumSquare", [0, 2, 3]],
        ["ReduceSumSquare", [2]],
      ] as const) {
        const graph = reduction(op, axes, keep);
        const rewritten = cpuReductions(graph);
        expect(rewritten.nodes).toHaveLength(graph.nodes.length + 1);
        const feeds = new Map([["x", normal(dims)]]);
        const [there, here] = [await run(rewritten, feeds), await run(graph, feeds)];
        expect(there.dims).toEqual(here.dims);
        expectClose(there, here, 1e-5);
      }
  });

  it("leave other sums alone, and those of one image or one pixel", () => {
    for (const axes of [[2, 3], [0], [0, 1, 2, 3]]) {
      const graph = reduction("ReduceSum", axes, true);
      expect(cpuReductions(graph)).toBe(graph);
    }
    for (const of of [
      [1, 4, 5, 6],
      [3, 4, 1, 1],
    ]) {
      const graph = reduction("ReduceSum", [0, 2, 3], true, of);
      expect(ops(cpuReductions(graph))).toEqual(ops(graph));
    }
  });
});
