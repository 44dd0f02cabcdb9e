import { expect, it } from "vitest";
import type { Graph, Node } from "../../src/graph/ir.js";
import { unsupportedOperators } from "../../src/ops/unsupported.js";

const node = (op: string, more: Partial<Node> = {}): Node => ({
  ...{ op, domain: "", name: op, inputs: [], outputs: [`${op}.y`], attributes: new Map(), ...more },
});
const graphOf = (nodes: readonly Node[]): Graph => ({
  ...{ name: "g", nodes, inputs: [], outputs: [], initializers: new Map(), types: new Map() },
  opsets: new Map([["", 18]]),
});

it("names all operators without rules at once, those of sub-graphs and former names considered", () => {
  const inner = graphOf([node("LSTM"), node("Relu")]);
  const branch = { kind: "graph", value: inner } as const;
  const graph = graphOf([
    node("LSTM"),
    node("Upsample"),
    node("If", { attributes: new Map([["then_branch", branch]]) }),
    node("Mystery", { domain: "acme" }),
    node("TreeEnsemble", { domain: "ai.onnx.ml" }),
  ]);
  expect(unsupportedOperators(graph)).toEqual([
    { op: "LSTM", count: 2, why: "recurrent layers" },
    { op: "acme.Mystery", count: 1, why: "an operator that is not known here" },
    { op: "ai.onnx.ml.TreeEnsemble", count: 1, why: "classical machine learning" },
  ]);
});
