import { describe, expect, it } from "vitest";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { intAttr } from "../../src/graph/ir.js";
import { costOf } from "../../src/ops/cost.js";
import { graphBuilder } from "../../src/ops/index.js";
import { cases } from "./cases/index.js";
import { buildCase } from "./operator-case.js";

/** Counts by counting: every product that a textbook loop would form. */
const counts: Record<
  string,
  (node: Parameters<typeof intAttr>[0], dims: (readonly number[])[], out: readonly number[]) => number
> = {
  Conv: (_node, [, w], out) => {
    let n = 0;
    for (let i = 0; i < sizeOf(out); i++) for (let k = 0; k < sizeOf(w!.slice(1)); k++) n++;
    return n;
  },
  ConvTranspose: (node, [x, w]) => {
    const group = intAttr(node, "group", 1);
    let n = 0;
    for (let g = 0; g < group; g++) {
      for (let c = 0; c < x![1]! / group; c++) {
        for (let i = 0; i < x![0]! * sizeOf(x!.slice(2)); i++) n += w![1]! * sizeOf(w!.slice(2));
      }
    }
    return n;
  },
  MatMul: (_node, [a], out) => {
    let n = 0;
    for (let i = 0; i < sizeOf(out); i++) for (let k = 0; k < a!.at(-1)!; k++) n++;
    return n;
  },
  Gemm: (node, [a], [m, n]) => {
    let total = 0;
    for (let i = 0; i < m!; i++)
      for (let j = 0; j < n!; j++) total += a![intAttr(node, "transA", 0) ? 0 : 1]!;
    return total;
  },
};

describe("multiply-accumulates", () => {
  it.each(cases.filter((c) => counts[c.op]))("$op: $name", (c) => {
    const { inputs, outputs } = buildCase(c, "float32");
    const graph = outputs[0]!.builder.build();
    const brute = counts[c.op]!(
      graph.nodes[0]!,
      inputs.map((v) => v?.dims ?? []),
      outputs[0]!.dims,
    );
    expect(costOf(graph).macs).toBe(brute);
  });
});

describe("costOf", () => {
  it("counts a weight once, and neither statistics nor scalars nor integers", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, 4, 5, 5]);
    const vector = (name: string) => b.parameter(name, Tensor.zeros("float32", [4]));
    const w = b.parameter("w", Tensor.zeros("float32", [4, 4, 3, 3]));
    const conv = () => b.add("Conv", [x, w], { pads: [1, 1, 1, 1] });
    const bn = b.add("BatchNormalization", [conv(), vector("γ"), vector("β"), vector("μ"), vector("σ²")]);
    const sum = b.add("Add", [b.add("Mul", [bn, b.scalar(2)]), conv()]);
    b.output(b.add("Reshape", [sum, b.ints([1, -1])]));
    const cost = costOf(b.build());
    expect(cost.parameters).toBe(4 * 4 * 9 + 8);
    expect(cost.nodes.map((n) => n.parameters)).toEqual([144, 8, 0, 0, 0, 0]);
    expect(cost.macs).toBe(2 * 100 * 36);
    expect(cost.nodes[0]).toMatchObject({
      inputShape: [1, 4, 5, 5],
      outputShape: [1, 4, 5, 5],
      bytes: 4 * (100 + 144 + 100),
    });
  });

  it("lists what nobody can count, and does not call it nothing", () => {
    const b = graphBuilder();
    b.input("x", "float32", [2]);
    for (const i of [1, 2]) {
      b.append(
        {
          op: "Mystery",
          domain: "acme",
          name: `m${i}`,
          inputs: ["x"],
          outputs: [`y${i}`],
          attributes: new Map(),
        },
        new Map(),
      );
    }
    const cost = costOf(b.build());
    expect(cost.uncounted).toEqual([
      { op: "acme.Mystery", count: 2, why: "an operator that is not known here" },
    ]);
    expect(cost.nodes[0]).toMatchObject({ macs: undefined, bytes: undefined, outputShape: undefined });
  });

  it("counts quantised weights as parameters, and the products of integers as others", () => {
    const b = graphBuilder();
    const x = b.input("x", "uint8", [1, 2, 5, 5]);
    const w = b.parameter("w", Tensor.zeros("int8", [3, 2, 3, 3]));
    b.output(b.add("ConvInteger", [x, w]));
    const d = b.parameter("d", Tensor.zeros("int8", [4, 4]));
    b.output(b.add("DequantizeLinear", [d, b.scalar(0.1)]));
    expect(costOf(b.build())).toMatchObject({ parameters: 54 + 16, macs: 3 * 9 * 18, uncounted: [] });
  });

  it("says which node decides a size that no number can be given for, and what each one of it costs", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 6]);
    const rows = b.add("Squeeze", [
      b.add("NonZero", [b.add("ReduceMax", [x, b.ints([1])], { keepdims: 0 })]),
      b.ints([0]),
    ]);
    const kept = b.add("Gather", [x, rows], { axis: 0 });
    const w = b.parameter("w", Tensor.zeros("float32", [6, 5]));
    b.output(
      b.add("MatMul", [b.add("MatMul", [kept, w]), b.parameter("v", Tensor.zeros("float32", [5, 2]))]),
    );
    b.output(b.add("MatMul", [x, w]));
    const { macs, open } = costOf(b.build());
    expect(open).toHaveLength(1);
    expect(open[0]).toMatchObject({ each: 6 * 5 + 5 * 2, from: { op: "NonZero" } });
    expect(macs).toBe(`40·${open[0]!.size}+30·N`);
  });

  it("finds nothing open where sizes have names, or inputs bring them", () => {
    const b = graphBuilder();
    const w = b.parameter("w", Tensor.zeros("float32", [6, 5]));
    b.output(b.add("MatMul", [b.input("x", "float32", ["N", 6]), w]));
    b.output(b.add("MatMul", [b.input("y", "float32", ["?7", 6]), w]));
    expect(costOf(b.build()).open).toEqual([]);
  });

  it("says for each of a size that the file names by an expression, and of which node", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 6]);
    const w = b.parameter("w", Tensor.zeros("float32", [6, 5]));
    const kept = b.add("Compress", [x, b.input("which", "bool", ["N"])], { axis: 0 });
    b.output(b.add("MatMul", [kept, w]));
    const graph = b.build();
    const types = new Map([
      [graph.nodes[0]!.outputs[0]!, { dtype: "float32" as const, shape: ["Min(1000, u2)", 6] }],
    ]);
    expect(costOf({ ...graph, types })).toMatchObject({
      macs: "30·Min(1000, u2)",
      open: [{ size: "Min(1000, u2)", each: 30, from: { op: "Compress" } }],
    });
  });

  it("adds up multiples of a symbol", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 3]);
    const w = b.parameter("w", Tensor.zeros("float32", [3, 3]));
    b.output(b.add("MatMul", [b.add("MatMul", [x, w]), w]));
    expect(costOf(b.build()).macs).toBe("18·N");
  });
});
