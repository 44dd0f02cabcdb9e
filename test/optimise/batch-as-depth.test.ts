import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { batchAsDepth } from "../../src/optimise/batch-as-depth.js";
import { expectClose } from "../ops/close.js";
import { normal, run } from "./conv-run.js";

interface Case {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes: Record<string, number | string | readonly number[]>;
  readonly bias: boolean;
}

function convolution({ x, w, attributes, bias }: Case): Graph {
  const b = graphBuilder({ name: "convolution" });
  const inputs = [b.input("x", "float32", x), b.input("w", "float32", w)];
  if (bias) inputs.push(b.input("b", "float32", [w[0]!]));
  b.output(b.add("Conv", inputs, attributes), "y");
  return b.build();
}

const ops = (graph: Graph) => graph.nodes.map((n) => n.op).filter((op) => op !== "Identity");

const cases = fc.record({
  n: fc.integer({ min: 2, max: 4 }),
  channels: fc.constantFrom([64, 64], [96, 40], [40, 96], [192, 96], [96, 192]),
  kernel: fc.constantFrom([3, 3], [1, 3], [3, 2], [5, 5]),
  size: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
  strides: fc.constantFrom([1, 1], [2, 2], [1, 2]),
  dilations: fc.constantFrom([1, 1], [2, 1]),
  pads: fc.constantFrom<readonly number[] | "SAME_UPPER" | "SAME_LOWER">(
    [2, 2, 2, 2],
    [3, 2, 4, 5],
    "SAME_UPPER",
    "SAME_LOWER",
  ),
  bias: fc.boolean(),
  group: fc.constantFrom(1, 1, 2, 4),
});

describe("the batch as depth", () => {
  it("computes the same", async () => {
    const rewrites = { whole: 0, grouped: 0 };
    await fc.assert(
      fc.asyncProperty(
        cases,
        async ({ n, channels, kernel, size, strides, dilations, pads, bias, group }) => {
          const [m, c] = channels as [number, number];
          const w = [m, c / group, ...kernel];
          const [rows, columns] = [size[0] + dilations[0]! * (kernel[0]! - 1), size[1] + kernel[1]!];
          const padding = typeof pads === "string" ? { auto_pad: pads } : { pads };
          const plain = typeof pads === "string" ? { strides } : { strides, dilations };
          const graph = convolution({
            ...{ x: [n, c, rows, columns], w, bias },
            attributes: { group, ...plain, ...padding },
          });
          const rewritten = batchAsDepth(graph);
          verify(rewritten, operators);
          if (ops(rewritten).length > 1) rewrites[group > 1 ? "grouped" : "whole"]++;
          const inputs: [string, Tensor][] = [
            ["x", normal([n, c, rows, columns])],
            ["w", normal(w)],
          ];
          if (bias) inputs.push(["b", normal([m])]);
          const feeds = new Map(inputs);
          expectClose(await run(rewritten, feeds), await run(graph, feeds), 1e-5);
        },
      ),
      { numRuns: 40, seed: 1 },
    );
    expect(Math.min(rewrites.whole, rewrites.grouped)).toBeGreaterThan(5);
  });

  it("is for many weights on few pixels, several images and weights that are computed", () => {
    const wide: Case = { x: [4, 128, 8, 8], w: [128, 128, 3, 3], attributes: {}, bias: false };
    const halves: Case = { ...wide, w: [256, 64, 3, 3], attributes: { group: 2 } };
    for (const it of [wide, halves]) expect(ops(batchAsDepth(convolution(it)))).toContain("Transpose");
    const others: Case[] = [
      { ...wide, x: [1, 128, 8, 8] },
      { ...wide, x: [4, 128, 40, 40] },
      { ...wide, x: [4, 512, 8, 8], w: [512, 512, 1, 1] },
      { ...halves, x: [4, 128, 16, 16] },
    ];
    for (const other of others) expect(ops(batchAsDepth(convolution(other)))).toEqual(["Conv"]);
    const b = graphBuilder({ name: "constant" });
    b.output(b.add("Conv", [b.input("x", "float32", wide.x), b.constant(normal(wide.w), "w")]), "y");
    expect(ops(batchAsDepth(b.build()))).toEqual(["Conv"]);
  });
});
