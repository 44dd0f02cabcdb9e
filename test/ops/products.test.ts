import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/ir.js";
import { products } from "../../src/ops/conv-weight-gradient.js";
import { graphBuilder } from "../../src/ops/index.js";
import { normal, run } from "../optimise/conv-run.js";

/** Σ over images and pixels of a (N, P, L) · b (N, Q, L)ᵀ. */
function productOf(a: readonly number[], b: readonly number[]): Graph {
  const builder = graphBuilder({ name: "products" });
  builder.output(products(builder.input("a", "float32", a), builder.input("b", "float32", b)), "y");
  return builder.build();
}

describe("products of what images have in common", () => {
  const cases: readonly [string, n: number, p: number, q: number, pixels: number, left: number][] = [
    ["the wider left", 3, 5, 12, 7, 12],
    ["the wider left, where it is", 3, 12, 5, 7, 12],
    ["as they are, where sums are far larger than what is summed", 2, 2, 20, 4, 2],
    ["the wider left, all images in one product", 6, 5, 12, 1, 12],
    ["as they are, all images in one product", 2, 3, 12, 1, 3],
    ["one image", 1, 4, 6, 9, 6],
  ];
  for (const [name, n, p, q, pixels, left] of cases) {
    it(name, async () => {
      const graph = productOf([n, p, pixels], [n, q, pixels]);
      const product = graph.nodes.find((node) => node.op === "MatMul")!;
      expect(graph.types.get(product.outputs[0]!)!.shape!.at(-2)).toBe(left);
      const feeds = new Map([
        ["a", normal([n, p, pixels])],
        ["b", normal([n, q, pixels])],
      ]);
      const [a, b] = [feeds.get("a")!.numbers(), feeds.get("b")!.numbers()];
      const y = await run(graph, feeds);
      expect(y.dims).toEqual([p, q]);
      for (let i = 0; i < p; i++)
        for (let j = 0; j < q; j++) {
          let sum = 0;
          for (let k = 0; k < n; k++)
            for (let l = 0; l < pixels; l++)
              sum += a[(k * p + i) * pixels + l]! * b[(k * q + j) * pixels + l]!;
          expect(y.numbers()[i * q + j]!).toBeCloseTo(sum, 4);
        }
    });
  }
});
