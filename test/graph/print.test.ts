import { expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { float } from "../../src/graph/ir.js";
import { printGraph } from "../../src/graph/print.js";
import { graphBuilder } from "../../src/ops/index.js";

it("prints a graph as text, a line to a node", () => {
  const b = graphBuilder({
    name: "small",
    opsets: new Map([
      ["", 18],
      ["com.microsoft", 1],
    ]),
  });
  const x = b.input("x", "float32", ["N", 3, 8, 8]);
  const conv = b.scope("layer1", () => {
    const w = b.parameter("weight", Tensor.zeros("float32", [4, 3, 3, 3]));
    return b.add("Conv", [x, w], { pads: [1, 1, 1, 1] }, { name: "conv" });
  });
  const clipped = b.add("Clip", [conv, undefined, b.scalar(6)]);
  const parts = b.addMany("Split", [clipped], { axis: 1, num_outputs: 2 }, { outputs: ["a", "b"] });
  b.add("LeakyRelu", [parts[1]!], { alpha: float(0.1) });
  b.output(b.add("GlobalAveragePool", [parts[0]!]), "y");
  expect(printGraph(b.build())).toMatchInlineSnapshot(`
    "graph small opset 18 com.microsoft:1
      in x: f32[N×3×8×8]
      const layer1.weight: f32[4×3×3×3]
      const k_float32_6: f32[scalar]
      layer1.conv.out: f32[N×4×8×8] = Conv(x, layer1.weight) {pads=[1,1,1,1]}
      Clip.out: f32[N×4×8×8] = Clip(layer1.conv.out, _, k_float32_6)
      a: f32[N×2×8×8], b: f32[N×2×8×8] = Split(Clip.out) {axis=1 num_outputs=2}
      LeakyRelu.out: f32[N×2×8×8] = LeakyRelu(b) {alpha=0.1}
      GlobalAveragePool.out: f32[N×2×1×1] = GlobalAveragePool(a)
      y: f32[N×2×1×1] = Identity(GlobalAveragePool.out)
      out y"
  `);
});

it("prints what it does not know as a question", () => {
  const graph = {
    name: "odd",
    nodes: [
      {
        op: "Mystery",
        domain: "acme",
        name: "m",
        inputs: ["x", ""],
        outputs: ["y", ""],
        attributes: new Map([["a", { kind: "other" as const, value: undefined }]]),
      },
    ],
    inputs: [{ name: "x", type: undefined }],
    outputs: [{ name: "y", type: undefined }],
    initializers: new Map(),
    types: new Map(),
    opsets: new Map([["", 18]]),
  };
  expect(printGraph(graph)).toMatchInlineSnapshot(`
    "graph odd opset 18
      in x: ?
      y: ?, _ = acme.Mystery(x, _) {a=…}
      out y"
  `);
});
