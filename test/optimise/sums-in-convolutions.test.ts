import { describe, expect, it } from "vitest";
import type { Value } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { add, conv, mul, relu } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { sumsInConvolutions } from "../../src/optimise/sums-in-convolutions.js";
import { asRun } from "../runtime/as-run.js";
import { normal, run } from "./conv-run.js";

const dims = { x: [2, 4, 5, 6], z: [2, 8, 5, 6], w: [8, 4, 1, 1], bias: [8] };

/** y, made of values of these shapes; kernels are inputs, as in a training step. */
function graphOf(make: (v: Record<keyof typeof dims, Value>) => Value): Graph {
  const b = graphBuilder({ name: "sums" });
  const values = Object.entries(dims).map(([name, shape]) => [name, b.input(name, "float32", shape)]);
  b.output(make(Object.fromEntries(values)), "y");
  return b.build();
}
const feeds = new Map(Object.entries(dims).map(([name, shape]) => [name, normal(shape)]));
const biases = (graph: Graph) => graph.nodes.filter((n) => n.op === "Conv").map((n) => Boolean(n.inputs[2]));

describe("sums in convolutions", () => {
  it.each([
    ["behind a value", ({ x, z, w }) => add(relu(z), conv(x, w))],
    ["in front of one, an activation behind", ({ x, z, w }) => relu(add(conv(x, w), relu(z)))],
    ["of two convolutions", ({ x, w }) => add(conv(x, w), conv(relu(x), w))],
  ] satisfies [string, Parameters<typeof graphOf>[0]][])("give the same bits: %s", async (_, make) => {
    const graph = graphOf(make);
    const other = sumsInConvolutions(graph);
    verify(other, operators);
    expect(biases(other).filter(Boolean)).toHaveLength(1);
    const opsOf = async (g: Graph) => (await asRun(g)).nodes.map((n) => n.op);
    expect(await opsOf(graph)).toContain("Add");
    expect(await opsOf(other)).not.toContain("Add");
    const [here, there] = [await run(graph, feeds), await run(other, feeds)];
    expect(Buffer.compare(there.bytes, here.bytes)).toBe(0);
  });

  it.each([
    ["a convolution that has a bias", ({ x, z, w, bias }) => add(conv(x, w, bias), z)],
    ["one that has, and one that has none", ({ x, w, bias }) => add(conv(x, w, bias), conv(relu(x), w))],
    [
      "a result that another node reads, too",
      ({ x, z, w }) => {
        const y = conv(x, w);
        return mul(add(y, z), y);
      },
    ],
    [
      "a vector that is added",
      ({ x, w, bias }) => add(conv(x, w), bias.builder.add("Reshape", [bias, bias.builder.ints([8, 1, 1])])),
    ],
    ["a product", ({ x, z, w }) => mul(conv(x, w), z)],
  ] satisfies [string, Parameters<typeof graphOf>[0]][])("leave alone %s", (_, make) => {
    const graph = graphOf(make);
    expect(sumsInConvolutions(graph)).toBe(graph);
  });

  it("leave alone a result that the graph gives", () => {
    const b = graphBuilder({ name: "given" });
    const [x, z, w] = (["x", "z", "w"] as const).map((name) => b.input(name, "float32", dims[name]));
    const y = conv(x!, w!);
    b.output(y, "y");
    b.output(add(y, z!), "sum");
    const graph = b.build();
    expect(sumsInConvolutions(graph)).toBe(graph);
  });
});
