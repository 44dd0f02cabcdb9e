import { describe, expect, it } from "vitest";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { AttributeInput, Graph } from "../../src/graph/ir.js";
import { reshape } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import {
  BLOCKED_DOMAIN,
  blockedConvolutions,
  blockOf,
  blockProbe,
} from "../../src/optimise/blocked-convolutions.js";
import type { Engine } from "../../src/runtime/session.js";
import { forEngine } from "../../src/train/for-engine.js";
import { expectClose } from "../ops/close.js";
import { normal, run } from "./conv-run.js";

/** A convolution whose weights come as one row, as a step's do. */
function convolution(
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, AttributeInput>>,
  { bias = true } = {},
): Graph {
  const b = graphBuilder({ name: "convolution" });
  const weights = reshape(b.input("w", "float32", [sizeOf(w)]), w);
  const inputs = [b.input("x", "float32", x), weights];
  if (bias) inputs.push(b.input("b", "float32", [w[0]!]));
  b.output(b.add("Conv", inputs, attributes), "y");
  return b.build();
}

const blocked = (graph: Graph) => graph.nodes.filter((n) => n.domain === BLOCKED_DOMAIN).map((n) => n.op);

async function blockHere(): Promise<number | undefined> {
  const x = Tensor.from(
    "float32",
    [1, 16, 1, 2],
    Array.from({ length: 32 }, (_, i) => i),
  );
  return blockOf((await run(blockProbe(), new Map([["x", x]]))).data as Float32Array);
}

describe("convolutions in the engine's blocked layout", () => {
  it("tells the block by what stands beside the first pixel", () => {
    const reordered = (block: number) =>
      Array.from({ length: 32 }, (_, at) => {
        const [b, rest] = [Math.floor(at / (2 * block)), at % (2 * block)];
        return (b * block + (rest % block)) * 2 + Math.floor(rest / block);
      });
    expect(blockOf(reordered(16))).toBe(16);
    expect(blockOf(reordered(8))).toBe(8);
    expect(blockOf(Array.from({ length: 32 }, (_, i) => i))).toBeUndefined();
  });

  it("computes the same", async () => {
    const block = await blockHere();
    if (!block) {
      console.log("skipped: the engine has no blocked layout on this processor");
      return;
    }
    for (const [x, w, attributes] of [
      [[2, 16, 9, 7], [32, 16, 3, 3], { pads: [1, 1, 1, 1] }],
      [[3, 32, 8, 8], [16, 32, 3, 3], { pads: [0, 1, 2, 1], strides: [2, 2] }],
      [[2, 48, 6, 6], [48, 48, 1, 3], {}],
      [[2, 16, 12, 12], [16, 16, 3, 3], { dilations: [2, 2], pads: [2, 2, 2, 2] }],
      [[2, 32, 8, 8], [16, 32, 5, 5], { auto_pad: "SAME_UPPER", strides: [2, 2] }],
    ] as const) {
      const graph = convolution(x, w, attributes);
      const rewritten = blockedConvolutions(graph, block);
      expect(blocked(rewritten)).toEqual(["ReorderInput", "Conv", "ReorderOutput"]);
      const feeds = new Map([
        ["x", normal(x)],
        ["w", normal([sizeOf(w)])],
        ["b", normal([w[0]])],
      ]);
      expectClose(await run(rewritten, feeds), await run(graph, feeds), 1e-5);
    }
    const narrow = convolution([2, 32, 8, 8], [4, 32, 3, 3], { pads: [1, 1, 1, 1] }, { bias: false });
    const rewritten = blockedConvolutions(narrow, block);
    expect(blocked(rewritten)).toEqual(["ReorderInput", "Conv", "ReorderOutput"]);
    const feeds = new Map([
      ["x", normal([2, 32, 8, 8])],
      ["w", normal([4 * 32 * 9])],
    ]);
    expectClose(await run(rewritten, feeds), await run(narrow, feeds), 1e-5);
  });

  it("is for whole blocks of channels, one group, and kernels with more than one tap", () => {
    const x = [2, 16, 8, 8];
    for (const [channels, w, attributes] of [
      [16, [24, 16, 3, 3], {}],
      [16, [4, 16, 3, 3], {}],
      [24, [16, 24, 3, 3], {}],
      [16, [16, 16, 1, 1], {}],
      [16, [16, 8, 3, 3], { group: 2 }],
    ] as const) {
      const graph = convolution([2, channels, 8, 8], w, attributes);
      expect(blockedConvolutions(graph, 16)).toBe(graph);
    }
    expect(blocked(blockedConvolutions(convolution(x, [16, 16, 3, 3], {}), 16))).toHaveLength(3);
  });

  it("is left out on other providers, and where the engine refuses the probe", async () => {
    const graph = convolution([2, 16, 8, 8], [16, 16, 3, 3], {});
    const open = () => Promise.reject(new Error("no such domain"));
    for (const provider of ["wasm", "cpu"]) {
      const other: Engine = { runtime: "another", provider, threads: 1, notes: [], open };
      expect(blocked(await forEngine(other, graph))).toEqual([]);
    }
  });
});
