import { describe, expect, it } from "vitest";
import { isFloat } from "../../src/base/dtype.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { bindSizes } from "../../src/ops/bind.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { inferShapes } from "../../src/ops/infer.js";
import { cases } from "./cases/index.js";
import { buildCase } from "./operator-case.js";
import { sizeValue } from "./size-expression.js";

describe("symbolic sizes", () => {
  const images = cases.filter((c) => c.inputs[0] && isFloat(c.inputs[0].dtype) && !c.constant?.includes(0));
  it.each(images)("$op: $name", (c) => {
    const { outputs } = buildCase(c, "float32");
    const graph = outputs[0]!.builder.build();
    const sizes = new Map<string, number>();
    const shape = c.inputs[0]!.dims.map((d, i) => {
      // Channels are what the weights say, and a size of 1 broadcasts, which a symbol does not.
      if (d === 1 || i === 1) return d;
      sizes.set(`d${i}`, d);
      return `d${i}`;
    });
    const inputs = graph.inputs.map((v) =>
      v.name === "x0" ? { ...v, type: { dtype: v.type!.dtype, shape } } : v,
    );
    const inferred = inferShapes({ ...graph, inputs, types: new Map() });
    for (const y of outputs) {
      const found = inferred.types.get(y.name)?.shape;
      if (!found) continue;
      expect(found.length).toBe(y.rank);
      found.forEach((d, i) => {
        const value = sizeValue(d, sizes);
        if (value !== undefined) expect(value, `axis ${i}: ${d}`).toBe(y.shape[i]);
      });
    }
  });

  it("are found for convolutions and pools", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 3, "H", "W"]);
    const w = b.parameter("w", Tensor.zeros("float32", [8, 3, 3, 3]));
    const y = b.add("Conv", [x, w], { strides: [2, 2], pads: [1, 1, 1, 1] });
    const z = b.add("MaxPool", [y], { kernel_shape: [2, 2], strides: [2, 2] });
    expect(y.shape).toEqual(["N", 8, "(H-1)/2+1", "(W-1)/2+1"]);
    expect(z.shape.slice(0, 2)).toEqual(["N", 8]);
  });
});

describe("sizes that are computed", () => {
  /** `x.view(x.size(0), -1)` as exporters write it. */
  function viewed(): Graph {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 4, "H", 2]);
    const n = b.add("Gather", [b.add("Shape", [x]), b.constant(Tensor.scalar("int64", 0))], { axis: 0 });
    const target = b.add("Concat", [b.add("Unsqueeze", [n, b.ints([0])]), b.ints([-1])], { axis: 0 });
    b.output(b.add("Reshape", [x, target]), "y");
    return b.build();
  }

  it("are followed from Shape into Reshape", () => {
    expect(inferShapes(viewed()).outputs[0]!.type!.shape).toEqual(["N", "8·H"]);
  });

  it("are followed when sizes get numbers", () => {
    const bound = bindSizes(viewed(), new Map([["N", 5]]));
    expect(bound.inputs[0]!.type!.shape).toEqual([5, 4, "H", 2]);
    expect(bound.outputs[0]!.type!.shape).toEqual([5, "8·H"]);
    const all = bindSizes(bound, new Map([["H", 3]]));
    expect(all.outputs[0]!.type!.shape).toEqual([5, 24]);
    verify(all, operators);
  });

  it("go through arithmetic, Slice, Cast and Where", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", "C", "H", "W"]);
    const shape = b.add("Shape", [x]);
    const space = b.add("Slice", [shape, b.ints([2]), b.ints([4])]);
    const twice = b.add("Mul", [b.add("Cast", [space], { to: 6 }), b.constant(Tensor.scalar("int32", 2))]);
    const more = b.add("Add", [b.add("Cast", [twice], { to: 7 }), b.ints([1])]);
    const half = b.add("Div", [b.add("Sub", [more, b.ints([1])]), b.ints([2])]);
    // expand(-1, C, …) keeps a size where −1 is asked for
    const asked = b.ints([-1, 7]);
    const kept = b.add("Where", [
      b.add("Equal", [
        asked,
        b.add("ConstantOfShape", [b.ints([2])], { value: Tensor.from("int64", [1], [-1]) }),
      ]),
      half,
      asked,
    ]);
    const y = b.add("ConstantOfShape", [
      b.add("Concat", [kept, more, b.add("ReduceProd", [half])], { axis: 0 }),
    ]);
    expect(y.shape).toEqual(["H", 7, "2·H+1", "2·W+1", "H·W"]);
  });

  it("are unknown rather than wrong", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 2]);
    const less = b.add("Sub", [b.ints([10, 10]), b.add("Shape", [x])]);
    const y = b.add("ConstantOfShape", [less]);
    expect(y.shape[0]).toMatch(/^\?/);
    expect(y.shape[1]).toBe(8);
  });
});

describe("inferShapes", () => {
  const withStranger = (): Graph => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [2, 3]);
    const types = new Map([["t", { dtype: "float32" as const, shape: [2, 5] }]]);
    b.append(
      { op: "Mystery", domain: "acme", name: "m", inputs: ["x"], outputs: ["t"], attributes: new Map() },
      types,
    );
    b.output(b.add("Relu", [b.value("t")]), "y");
    b.output(x, "z");
    return b.build();
  };

  it("keeps declared types of operators without rules, and goes on behind them", () => {
    const graph = inferShapes(withStranger());
    expect(graph.types.get("t")).toEqual({ dtype: "float32", shape: [2, 5] });
    expect(graph.outputs[0]!.type).toEqual({ dtype: "float32", shape: [2, 5] });
  });

  it("leaves what follows an undeclared value undeclared", () => {
    const graph = withStranger();
    const bare = inferShapes({
      ...graph,
      types: new Map(),
      outputs: graph.outputs.map(({ name }) => ({ name, type: undefined })),
    });
    expect(bare.outputs.map((o) => o.type)).toEqual([undefined, { dtype: "float32", shape: [2, 3] }]);
    verify(bare, operators);
  });

  it("names the node whose shapes cannot be", () => {
    const b = graphBuilder();
    b.input("x", "float32", [2, 3]);
    const graph: Graph = {
      ...b.build(),
      nodes: [
        { op: "MatMul", domain: "", name: "fc", inputs: ["x", "x"], outputs: ["y"], attributes: new Map() },
      ],
      outputs: [{ name: "y", type: undefined }],
    };
    expect(() => inferShapes(graph)).toThrowErrorMatchingInlineSnapshot(
      `[ScconvError: MatMul "fc": matrices do not fit, got 2×3 and 2×3]`,
    );
  });
});

describe("bindSizes", () => {
  const b = graphBuilder();
  b.output(b.add("Relu", [b.input("x", "float32", ["N", 3])]));
  const graph = b.build();

  it("refuses a size that no input has", () => {
    expect(() => bindSizes(graph, new Map([["n", 1]]))).toThrowErrorMatchingInlineSnapshot(
      `[ScconvError: no input has a size "n", need N]`,
    );
  });
  it("refuses what is no size", () => {
    expect(() => bindSizes(graph, new Map([["N", 0]]))).toThrowErrorMatchingInlineSnapshot(
      `[ScconvError: size "N" must be a positive integer, got 0]`,
    );
  });
});
