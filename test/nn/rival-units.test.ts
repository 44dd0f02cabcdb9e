import { readFileSync } from "node:fs";
import { describe, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { type ConvUnitName, convUnit, type SlotShape, type UnitSettings } from "../../src/nn/units.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { expectClose } from "../ops/close.js";

/*
 * Against PyTorch, float64, written from the papers independently (bench/peers/rival_units.py). Inputs and parameters are
 * a formula of their names.
 */
interface Golden {
  readonly unit: ConvUnitName;
  readonly settings: UnitSettings;
  readonly x: readonly number[];
  readonly out: number;
  readonly shape: SlotShape;
  readonly dims: readonly number[];
  readonly y: readonly number[];
}

const goldens = JSON.parse(readFileSync(new URL("rival-units.json", import.meta.url), "utf8")) as Golden[];

function valuesOf(name: string, dims: readonly number[]): Tensor {
  const key = [...name].reduce((sum, c) => sum + c.charCodeAt(0), 0);
  const scale = (v: number) => (name.endsWith("running_var") ? 1 + 0.5 * v : name === "x" ? v : 0.5 * v);
  const values = Float64Array.from({ length: sizeOf(dims) }, (_, i) =>
    scale(Math.sin(0.7 + 0.913 * i + key)),
  );
  return Tensor.from("float64", dims, values);
}

describe("the rivals are what their papers say", () => {
  it.each(
    goldens.map((g, i) => [`${i} ${g.unit} ${JSON.stringify({ ...g.settings, ...g.shape })}`, g] as const),
  )("%s", (_, { unit, settings, x: dims, out, shape, dims: want, y }) => {
    const b = graphBuilder();
    const x = b.input("x", "float64", dims);
    b.output(convUnit(unit, settings)(x, out, "u", new Random(1), shape), "y");
    const graph = b.build();
    const feeds = new Map([["x", valuesOf("x", dims)]]);
    for (const [name, t] of graph.initializers) {
      if (name.startsWith("u.") && t.dtype === "float64" && /\.(weight|bias|running_\w+)$/.test(name))
        feeds.set(name, valuesOf(name.slice(2), t.dims));
    }
    expectClose(evaluateGraph(graph, feeds).get("y")!, Tensor.from("float64", want, y), 1e-7, unit);
  });
});
