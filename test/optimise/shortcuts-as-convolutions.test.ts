import { describe, expect, it } from "vitest";
import type { Value } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { add, mul, relu, slice } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { shortcutsAsConvolutions } from "../../src/optimise/shortcuts-as-convolutions.js";
import { normal, run } from "./conv-run.js";

const whole = { starts: [0, 0], ends: [7, 6], axes: [2, 3] };
const every = (x: Value, steps: readonly number[], part: Partial<typeof whole> = {}) =>
  slice(x, { ...whole, ...part, steps });
const zeros = (x: Value, pads: readonly number[], mode = "constant") =>
  x.builder.add("Pad", [x, x.builder.ints(pads)], { mode });
const channels = [0, 1, 0, 0, 0, 3, 0, 0];

function graphOf(make: (x: Value) => Value, width = 4): Graph {
  const b = graphBuilder({ name: "shortcut" });
  b.output(make(relu(b.input("x", "float32", [2, width, 7, 6]))), "y");
  return b.build();
}
const opsOf = (graph: Graph) => graph.nodes.map((n) => n.op);

describe("shortcuts as convolutions", () => {
  it.each([
    ["one Slice", (x) => zeros(every(x, [2, 2]), channels)],
    [
      "a Slice for each axis, as PyTorch writes it",
      (x) =>
        zeros(
          slice(slice(x, { starts: [0], ends: [2 ** 31], axes: [2], steps: [2] }), {
            ...{ starts: [0], ends: [2 ** 31], axes: [-1], steps: [3] },
          }),
          channels,
        ),
    ],
    ["along one axis only", (x) => zeros(every(x, [1, 3]), channels)],
    ["no channels that are new", (x) => zeros(every(x, [2, 2]), [0, 0, 0, 0, 0, 0, 0, 0])],
  ] satisfies [string, (x: Value) => Value][])("give the same bits: %s", async (_, make) => {
    const graph = graphOf(make);
    const other = shortcutsAsConvolutions(graph);
    verify(other, operators);
    expect(opsOf(other)).toEqual(["Relu", "Conv", "Identity"]);
    const feeds = new Map([["x", normal([2, 4, 7, 6])]]);
    const [there, here] = [await run(graph, feeds), await run(other, feeds)];
    expect(here.dims).toEqual(there.dims);
    expect(Buffer.compare(here.bytes, there.bytes)).toBe(0);
  });

  it.each([
    ["where nothing is left out", (x) => zeros(every(x, [1, 1]), channels)],
    ["what begins at another pixel", (x) => zeros(every(x, [2, 2], { starts: [1, 0] }), channels)],
    ["what ends before the last one", (x) => zeros(every(x, [2, 2], { ends: [7, 5] }), channels)],
    [
      "what cuts channels",
      (x) => zeros(slice(x, { starts: [0], ends: [4], axes: [1], steps: [2] }), channels),
    ],
    ["zeros around the image", (x) => zeros(every(x, [2, 2]), [0, 1, 1, 0, 0, 1, 1, 0])],
    ["what is put there and is not zero", (x) => zeros(every(x, [2, 2]), [0, 1, 0, 0, 0, 1, 0, 0], "edge")],
    [
      "what another node reads, too",
      (x) => {
        const seen = every(x, [2, 2]);
        return add(zeros(seen, [0, 0, 0, 0, 0, 0, 0, 0]), mul(seen, seen));
      },
    ],
  ] satisfies [string, (x: Value) => Value][])("leave alone: %s", (_, make) => {
    const graph = graphOf(make);
    expect(shortcutsAsConvolutions(graph)).toBe(graph);
  });

  it("leave alone what is wide: the products with 0 would cost more than the passes", () => {
    const at = (width: number) =>
      graphOf((x) => zeros(every(x, [2, 2]), [0, 0, 0, 0, 0, width, 0, 0]), width);
    expect(opsOf(shortcutsAsConvolutions(at(64)))).toContain("Conv");
    expect(opsOf(shortcutsAsConvolutions(at(128)))).not.toContain("Conv");
  });
});
