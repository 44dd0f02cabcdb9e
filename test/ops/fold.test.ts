import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { bindSizes } from "../../src/ops/bind.js";
import { costOf } from "../../src/ops/cost.js";
import { foldConstants } from "../../src/ops/fold.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { inferShapes } from "../../src/ops/infer.js";
import { upgrade } from "../../src/ops/upgrade.js";

const ops = (graph: Graph) => graph.nodes.map((n) => n.op);

describe("foldConstants", () => {
  it("computes what depends on constants only, and drops what nobody reads", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 6]);
    const w = b.parameter("w", Tensor.from("float32", [2, 3], [1, 2, 3, 4, 5, 6]));
    const flat = b.add("Reshape", [
      b.add("Transpose", [b.add("Identity", [w])], { perm: [1, 0] }),
      b.ints([-1]),
    ]);
    b.output(b.add("Add", [x, flat]), "y");
    const graph = foldConstants(b.build());
    verify(graph, operators);
    expect(ops(graph)).toEqual(["Add", "Identity"]);
    expect([...graph.initializers.values()].map((t) => Array.from(t.numbers()))).toEqual([
      [1, 4, 2, 5, 3, 6],
    ]);
  });

  it("resolves sizes that are known although their image is not", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 4, 3, 3]);
    const channels = b.add("Gather", [b.add("Shape", [x]), b.ints([1])]);
    b.output(b.add("Reshape", [x, b.add("Concat", [b.ints([0]), channels, b.ints([-1])], { axis: 0 })]), "y");
    const graph = foldConstants(b.build());
    expect(ops(graph)).toEqual(["Reshape", "Identity"]);
    expect(inferShapes(graph).outputs[0]!.type!.shape).toEqual(["N", 4, 9]);
  });

  it("keeps what depends on a size without a number", () => {
    const b = graphBuilder();
    b.output(b.add("Shape", [b.input("x", "float32", ["N", 4])]), "y");
    expect(ops(foldConstants(b.build()))).toEqual(["Shape", "Identity"]);
  });

  it("dequantises weights", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, 2]);
    const q = b.parameter("q", Tensor.from("int8", [2, 2], [-128, 0, 1, 127]));
    const scale = b.parameter("scale", Tensor.scalar("float32", 0.5));
    b.output(b.add("MatMul", [x, b.add("DequantizeLinear", [q, scale])]), "y");
    const graph = foldConstants(b.build());
    expect(ops(graph)).toEqual(["MatMul", "Identity"]);
    expect(Array.from([...graph.initializers.values()][0]!.numbers())).toEqual([-64, 0, 0.5, 63.5]);
  });

  it("gives a cast constant its type", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [2]);
    const double = b.add("Constant", [], { value: Tensor.from("float64", [2], [0.1, 2]) });
    b.output(b.add("Mul", [x, b.add("Cast", [double], { to: 1 })]), "y");
    const graph = foldConstants(b.build());
    verify(graph, operators);
    expect([...graph.initializers.values()].map((t) => t.dtype)).toEqual(["float32"]);
  });

  it("leaves the nodes that make outputs, and names of values", () => {
    const b = graphBuilder();
    const c = b.parameter("c", Tensor.from("float32", [2], [1, 2]));
    b.output(b.add("Neg", [c], {}, { output: "y" }));
    const graph = foldConstants(b.build());
    expect(ops(graph)).toEqual(["Neg"]);
    verify(graph, operators);
  });

  it("does not make more than it may", () => {
    const b = graphBuilder();
    const big = () => b.add("ConstantOfShape", [b.ints([30])]);
    b.output(b.add("Sum", [b.input("x", "float32", [30]), big(), big(), big()]), "y");
    const graph = b.build();
    expect(ops(foldConstants(graph, { maxElements: 29 }))).toEqual(
      expect.arrayContaining(["ConstantOfShape"]),
    );
    // Two grow the graph by 58 in all; there is no room for a third.
    expect(
      ops(foldConstants(graph, { maxElements: 70 })).filter((o) => o === "ConstantOfShape"),
    ).toHaveLength(1);
    expect(ops(foldConstants(graph))).toEqual(["Sum", "Identity"]);
  });

  it("leaves alone what it does not know", () => {
    const b = graphBuilder();
    b.parameter("c", Tensor.from("float32", [2], [1, 2]));
    b.append(
      { op: "Mystery", domain: "acme", name: "m", inputs: ["c"], outputs: ["t"], attributes: new Map() },
      new Map(),
    );
    const graph: Graph = { ...b.build(), outputs: [{ name: "t", type: undefined }] };
    expect(ops(foldConstants(graph))).toEqual(["Mystery"]);
  });
});

const shared = "../shared/models/resnet20_cifar10.onnx";
if (!existsSync(shared)) console.warn(`skipped: ${shared} is not here`);
describe("a model from another framework", () => {
  it.skipIf(!existsSync(shared))(
    `loses its tangle of sizes and computes the same${existsSync(shared) ? "" : ` (skipped: ${shared} is not here)`}`,
    async () => {
      const bytes = readFileSync(shared);
      const { graph } = decodeModel(bytes);
      const plain = inferShapes(foldConstants(upgrade(graph)));
      verify(plain, operators);
      expect(new Set(ops(plain))).toEqual(
        new Set(["Conv", "Relu", "Add", "Slice", "Pad", "GlobalAveragePool", "Flatten", "Gemm"]),
      );
      expect(plain.outputs[0]!.type!.shape).toEqual(["N", 10]);
      const cost = costOf(plain);
      expect(cost.macs).toBe("40551040·N");
      expect(cost.uncounted).toEqual([]);

      const bound = bindSizes(plain, new Map([["N", 2]]));
      verify(bound, operators);
      expect(costOf(bound)).toMatchObject({ macs: 81102080, parameters: cost.parameters });

      const r = new Random(3);
      const x = Tensor.from(
        "float32",
        [2, 3, 32, 32],
        Array.from({ length: 2 * 3 * 32 * 32 }, () => r.normal()),
      );
      const engine = nodeEngine({ threads: 1 });
      const run = async (model: Graph | Uint8Array) => {
        const session = await engine.open(model);
        const result = await session.run(new Map([["input", x]]));
        await session.release();
        return Array.from(result.get("logits")!.numbers());
      };
      const want = await run(new Uint8Array(bytes));
      expect(await run(plain)).toEqual(want);
      expect(await run(bound)).toEqual(want);
    },
  );
});
