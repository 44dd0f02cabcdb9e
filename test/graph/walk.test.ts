import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph, Node } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { consumers, producers, prune, readsOf, topological } from "../../src/graph/walk.js";
import { foldConstants } from "../../src/ops/fold.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { inferShapes } from "../../src/ops/infer.js";

const node = (name: string, inputs: string[], attributes: Node["attributes"] = new Map()): Node => ({
  op: "Relu",
  domain: "",
  name,
  inputs,
  outputs: [`${name}.out`],
  attributes,
});

const chain = (n: number): Node[] =>
  Array.from({ length: n }, (_, i) => node(`n${i}`, [i === 0 ? "x" : `n${i - 1}.out`]));

const graphOf = (nodes: Node[], output: string): Graph => ({
  name: "g",
  nodes,
  inputs: [{ name: "x", type: { dtype: "float32", shape: [2] } }],
  outputs: [{ name: output, type: undefined }],
  initializers: new Map(),
  types: new Map(),
  opsets: new Map([["", 18]]),
});

const inner = (reads: string): Graph => graphOf([node("in", [reads])], "in.out");

describe("topological", () => {
  it("keeps an order that is right", () => {
    const nodes = [node("b", ["x"]), node("a", ["x"]), node("c", ["a.out", "b.out"])];
    expect(topological(nodes).map((n) => n.name)).toEqual(["b", "a", "c"]);
  });

  it("puts makers before readers", () => {
    const nodes = chain(50);
    const order = new Random(1).permutation(50);
    const shuffled = Array.from(order, (i) => nodes[i]!);
    expect(topological(shuffled)).toEqual(nodes);
  });

  it("knows what sub-graphs read from outside", () => {
    const reader = node("if", [], new Map([["then_branch", { kind: "graph", value: inner("a.out") }]]));
    expect(topological([reader, node("a", ["x"])]).map((n) => n.name)).toEqual(["a", "if"]);
    expect(readsOf(reader)).toContain("a.out");
  });

  it("names a node of a cycle", () => {
    expect(() =>
      topological([node("ok", ["x"]), node("a", ["b.out"]), node("b", ["a.out"])]),
    ).toThrowErrorMatchingInlineSnapshot(`[ScconvError: Relu "a": the graph has a cycle]`);
  });
});

describe("a chain of 100,000 nodes", () => {
  const long = graphOf(chain(100_000), "n99999.out");

  it("is sorted, pruned, verified, inferred, folded and written without recursion", () => {
    expect(topological([...long.nodes].reverse())).toHaveLength(100_000);
    const inferred = inferShapes(prune(long));
    verify(inferred, operators);
    expect(foldConstants(inferred).nodes).toHaveLength(100_000);
    const bytes = encodeModel({
      graph: long,
      irVersion: 8,
      producer: { name: "", version: "" },
      metadata: new Map(),
    });
    expect(decodeModel(bytes).graph.nodes).toHaveLength(100_000);
  });

  it("is differentiated", () => {
    const b = graphBuilder({ from: { ...long, nodes: long.nodes.slice(0, 20_000), outputs: [] } });
    const y = b.value("n19999.out");
    const [dx] = differentiate(b, undefined, [b.value("x")], {
      seeds: new Map([[y, b.constant(Tensor.from("float32", [2], [1, 1]))]]),
    });
    expect(dx!.shape).toEqual([2]);
  });
});

describe("who makes and who reads", () => {
  const reader = node("if", ["x"], new Map([["then_branch", { kind: "graph", value: inner("a.out") }]]));
  const graph = graphOf([node("a", ["x"]), reader, node("b", ["a.out", "a.out"])], "b.out");

  it("is told once for each node, sub-graphs included", () => {
    expect(producers(graph).get("a.out")!.name).toBe("a");
    expect(
      consumers(graph)
        .get("a.out")!
        .map((n) => n.name),
    ).toEqual(["if", "b"]);
  });

  it("decides what prune drops", () => {
    const kept = prune({ ...graph, initializers: new Map([["w", Tensor.scalar("float32", 1)]]) });
    expect(kept.nodes.map((n) => n.name)).toEqual(["a", "b"]);
    expect(kept.initializers.size).toBe(0);
  });
});
