import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel } from "../../src/graph/codec.js";
import { graphBuilder } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { compareLayers } from "../../src/surgery/compare-layers.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { tinyClassifier } from "../cli/models.js";

const original = prepare(decodeModel(tinyClassifier({ width: 16 })).graph);

describe("two models, layer by layer", () => {
  it("finds nothing between a model and itself", () => {
    const { layers, first } = compareLayers(original, original);
    expect(layers.map((l) => l.name)).toEqual(first.layers.map((l) => l.name));
    expect(new Set(layers.map((l) => l.kind))).toEqual(new Set(["same"]));
  });

  it("puts all nodes of a unit in the place of its convolution", () => {
    const swapped = swap(original, { layers: "all", init: "random" });
    const after = lower(swapped.graph);
    const { layers, first, second } = compareLayers(original, after);
    const replaced = layers.filter((l) => l.kind === "replaced");
    expect(replaced.map((l) => l.name)).toEqual(swapped.swapped.map((c) => c.name));
    expect(replaced[0]!.first!.parameters).toBe(16 * 16 * 9);
    // Everything is in one row, and in one only.
    const sum = (of: (l: (typeof layers)[number]) => number | undefined) =>
      layers.reduce((s, l) => s + (of(l) ?? 0), 0);
    expect(sum((l) => l.first?.parameters)).toBe(first.parameters);
    expect(sum((l) => l.second?.parameters)).toBe(second.parameters);
    expect(sum((l) => l.first?.nodes)).toBe(first.layers.length);
    expect(sum((l) => l.second?.nodes)).toBe(second.layers.length);
  });

  it("measures weights, and names what else differs", () => {
    const b = (weights: readonly number[], stride: number, extra: boolean) => {
      const g = graphBuilder({ name: "g" });
      const x = g.input("x", "float32", [1, 1, 4, 4]);
      const w = g.constant(Tensor.from("float32", [2, 1, 1, 1], weights));
      const y = g.add("Conv", [x, w], { strides: [stride, stride] }, { name: "conv" });
      const relu = g.add("Relu", [y], {}, { name: "act" });
      g.output(extra ? g.add("Neg", [relu], {}, { name: "extra" }) : relu, "y");
      return g.build();
    };
    const [weights] = compareLayers(b([3, 4], 1, false), b([3, 4.5], 1, false)).layers;
    expect([weights!.kind, weights!.weightChange]).toEqual(["weights", 0.1]);
    const { layers } = compareLayers(b([3, 4], 1, false), b([3, 4], 2, true));
    expect(layers.slice(0, 3).map((l) => [l.name, l.kind, l.differs])).toEqual([
      ["conv", "changed", ["strides", "shape"]],
      ["act", "changed", ["shape"]],
      ["extra", "second", []],
    ]);
    const shorter = compareLayers(b([3, 4], 1, true), b([3, 4], 1, false)).layers;
    expect(shorter.find((l) => l.name === "extra")?.kind).toBe("first");
  });

  it("pairs names that are used again by their turn", () => {
    const chain = (length: number) => {
      const g = graphBuilder({ name: "g" });
      let x = g.input("x", "float32", [4]);
      for (let i = 0; i < length; i++) x = g.add("Relu", [x], {}, { name: "again" });
      g.output(x, "y");
      return g.build();
    };
    const { layers } = compareLayers(chain(3), chain(5));
    expect(layers.map((l) => l.kind)).toEqual(["same", "same", "same", "second", "second", "same"]);
  });
});
