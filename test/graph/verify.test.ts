import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph, Node } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { operators } from "../../src/ops/index.js";

const node = (op: string, inputs: string[], outputs: string[], name = outputs[0]!): Node => ({
  op,
  domain: "",
  name,
  inputs,
  outputs,
  attributes: new Map(),
});

const f32 = (...shape: (number | string)[]) => ({ dtype: "float32" as const, shape });

const graph = (nodes: Node[], more: Partial<Graph> = {}): Graph => ({
  name: "g",
  nodes,
  inputs: [{ name: "x", type: f32("N", 4) }],
  outputs: [{ name: "y", type: undefined }],
  initializers: new Map(),
  types: new Map(),
  opsets: new Map([["", 18]]),
  ...more,
});
const check = (g: Graph) => verify(g, operators);

describe("verify", () => {
  it("accepts what is well formed", () => {
    check(
      graph([node("Relu", ["x"], ["t"]), node("Relu", ["t"], ["y"])], {
        types: new Map([["t", f32("N", 4)]]),
      }),
    );
  });

  it("accepts optional inputs and outputs that are left out", () => {
    check(graph([node("Clip", ["x", "", ""], ["y"]), node("Dropout", ["x"], ["d", ""])]));
  });

  it("accepts an initializer that is listed as an input, as old files do", () => {
    const w = Tensor.zeros("float32", [4]);
    const inputs = [
      { name: "x", type: f32("N", 4) },
      { name: "w", type: f32(4) },
    ];
    check(graph([node("Add", ["x", "w"], ["y"])], { inputs, initializers: new Map([["w", w]]) }));
  });

  it("accepts a symbol where the other side has a number", () => {
    check(graph([node("Relu", ["x"], ["y"])], { outputs: [{ name: "y", type: f32(2, "C") }] }));
  });

  const branch = (reads: string): Graph => ({
    ...graph([node("Relu", [reads], ["inner"])], {
      inputs: [],
      outputs: [{ name: "inner", type: undefined }],
    }),
  });
  const choice = (reads: string): Node => ({
    ...node("If", ["c"], ["y"]),
    attributes: new Map([
      ["then_branch", { kind: "graph", value: branch(reads) }],
      ["else_branch", { kind: "graph", value: branch(reads) }],
    ]),
  });
  const inputs = [
    { name: "c", type: { dtype: "bool" as const, shape: [] } },
    { name: "x", type: f32("N", 4) },
  ];

  it("lets sub-graphs read what is outside them", () => {
    check(graph([choice("x")], { inputs }));
  });

  it.each<[string, Graph]>([
    ["a value made twice", graph([node("Relu", ["x"], ["y"]), node("Neg", ["x"], ["y"])])],
    ["a value that hides an input", graph([node("Relu", ["x"], ["x"])])],
    ["a value that nothing makes", graph([node("Add", ["x", "nowhere"], ["y"])])],
    ["the wrong order", graph([node("Relu", ["t"], ["y"]), node("Relu", ["x"], ["t"])])],
    ["an output that nothing makes", graph([node("Relu", ["x"], ["t"])])],
    [
      "a declared type that is not so",
      graph([node("Relu", ["x"], ["y"])], { outputs: [{ name: "y", type: f32("N", 5) }] }),
    ],
    [
      "another element type",
      graph([node("Equal", ["x", "x"], ["y"])], { outputs: [{ name: "y", type: f32("N", 4) }] }),
    ],
    [
      "shapes that cannot be",
      graph([node("MatMul", ["x", "x"], ["t"]), node("Gemm", ["x", "v"], ["y"])], {
        inputs: [
          { name: "x", type: f32(2, 4) },
          { name: "v", type: f32(3, 3) },
        ],
      }),
    ],
    ["a sub-graph that reads what nothing makes", graph([choice("nowhere")], { inputs })],
  ])("refuses %s", (_what, g) => {
    expect(() => check(g)).toThrowErrorMatchingSnapshot();
  });
});
