import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { GraphBuilder, Value } from "../../src/graph/builder.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { scconvDefaults } from "../../src/nn/scconv.js";
import { add, conv, globalAveragePool, relu, transpose } from "../../src/ops/emit.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { matchConvolutions } from "../../src/surgery/match.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { expectClose } from "../ops/close.js";

const random = (dims: readonly number[], key: number): Tensor => {
  const r = new Random(9, key);
  const n = sizeOf(dims);
  return Tensor.from(
    "float32",
    dims,
    Float32Array.from({ length: n }, () => r.uniform(-0.3, 0.3)),
  );
};
const pads = [1, 1, 1, 1];
const kernel = random([16, 16, 3, 3], 1);

/** The weights of one convolution as exporters hide them. */
const hidden: Readonly<Record<string, (b: GraphBuilder) => Value>> = {
  "an initializer": (b) => b.parameter("w", kernel),
  "a Constant": (b) => b.add("Constant", [], { value: kernel }),
  "an Identity": (b) => b.add("Identity", [b.parameter("w", kernel)]),
  "a Transpose from HWIO": (b) => {
    const hwio = evaluateGraph(transposed(kernel, [2, 3, 1, 0]), new Map()).get("y")!;
    return transpose(b.parameter("w", hwio), [3, 2, 0, 1]);
  },
  "a DequantizeLinear, a scale to a channel": (b) => {
    const codes = Tensor.from(
      "int8",
      kernel.dims,
      Array.from(kernel.numbers(), (v) => Math.round(v * 400)),
    );
    const scale = b.constant(Tensor.from("float32", [16], new Float32Array(16).fill(1 / 400)));
    return b.add("DequantizeLinear", [b.parameter("w", codes), scale], { axis: 0 });
  },
  "a Cast from float16": (b) => b.add("Cast", [b.parameter("w", kernel.cast("float16"))], { to: 1 }),
  "a Cast from bfloat16": (b) => b.add("Cast", [b.parameter("w", kernel.cast("bfloat16"))], { to: 1 }),
};

function transposed(t: Tensor, perm: readonly number[]): Graph {
  const b = graphBuilder();
  b.output(transpose(b.parameter("t", t), perm), "y");
  return b.build();
}

const stem = (x: Value): Value => {
  const w = x.builder.parameter("stem", random([16, 3, 3, 3], 2));
  return relu(conv(x, w, undefined, { pads }, "stem"));
};
const image = (b: GraphBuilder) => b.input("image", "float32", ["N", 3, "H", "W"]);
const engine = nodeEngine({ threads: 1 });

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.open(encodeModel(modelOf(lower(graph))));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}
const feeds = new Map([["image", random([2, 3, 8, 6], 3)]]);

describe("weights", () => {
  it.each(Object.entries(hidden))(
    "behind %s are found, and the network stays what it was",
    async (_, weights) => {
      const b = graphBuilder();
      b.output(globalAveragePool(conv(stem(image(b)), weights(b), undefined, { pads }, "target")), "y");
      const before = b.build();
      const graph = prepare(before);
      const [, target] = matchConvolutions(graph, scconvDefaults);
      expect(target).toMatchObject({ name: "target", swappable: true });
      expectClose((await run(graph, feeds)).get("y")!, (await run(before, feeds)).get("y")!, 1e-5);
      const swapped = swap(graph, { layers: "all" }).graph;
      verify(swapped, operators);
      expect((await run(swapped, feeds)).get("y")!.dims).toEqual([2, 16, 1, 1]);
    },
  );

  it("that two convolutions share stay, and the reason is said", () => {
    const b = graphBuilder();
    const w = b.parameter("w", kernel);
    const x = conv(stem(image(b)), w, undefined, { pads }, "first");
    b.output(conv(x, w, undefined, { pads }, "second"), "y");
    const reasons = matchConvolutions(prepare(b.build()), scconvDefaults).map((c) => c.reason);
    expect(reasons.slice(1)).toEqual(Array(2).fill("its weights are shared with another node"));
  });
});

/** Two outputs, one of them chosen by an If that reads the convolution from inside its branches. */
function withBranches(): Graph {
  const b = graphBuilder({ name: "branches" });
  const flag = b.input("flag", "bool", []);
  const y = conv(stem(image(b)), b.parameter("w", kernel), undefined, { pads }, "target");
  const branch = (op: string): Graph => ({
    ...{ name: op, inputs: [], initializers: new Map(), types: new Map(), opsets: b.opsets },
    nodes: [{ op, domain: "", name: op, inputs: [y.name], outputs: [`${op}.y`], attributes: new Map() }],
    outputs: [{ name: `${op}.y`, type: { dtype: "float32", shape: undefined } }],
  });
  const chosen = b.add("If", [flag], {
    then_branch: { kind: "graph", value: branch("Relu") },
    else_branch: { kind: "graph", value: branch("Neg") },
  });
  b.output(chosen, "chosen");
  b.output(add(globalAveragePool(y), 1), "score");
  return b.build();
}

describe("sub-graphs, several inputs and outputs", () => {
  const graph = prepare(withBranches());
  const { graph: swapped } = swap(graph, { layers: "all" });

  it("keep their names, and branches read the unit that took the convolution's place", async () => {
    verify(swapped, operators);
    for (const side of ["inputs", "outputs"] as const) {
      expect(swapped[side].map((v) => v.name)).toEqual(graph[side].map((v) => v.name));
    }
    const flagged = (flag: number) => new Map([...feeds, ["flag", Tensor.from("bool", [], [flag])]]);
    const [yes, no] = [await run(swapped, flagged(1)), await run(swapped, flagged(0))];
    // relu(y) and −y: where relu lets y through the two cancel, elsewhere −y is what is left.
    const [positive, negated] = [yes.get("chosen")!.numbers(), no.get("chosen")!.numbers()];
    for (let i = 0; i < positive.length; i++) expect(positive[i]).toBeCloseTo(Math.max(0, -negated[i]!), 5);
    expect(positive.length).toBe(2 * 16 * 8 * 6);
  });

  it("keep metadata and dynamic axes in the file", () => {
    const metadata = new Map([["scconv.normalize", "0.5/0.5"]]);
    const file = decodeModel(encodeModel({ ...modelOf(lower(swapped)), metadata }));
    expect(file.metadata).toEqual(metadata);
    expect(file.graph.inputs.find((i) => i.name === "image")?.type?.shape).toEqual(["N", 3, "H", "W"]);
  });
});

it("NHWC between transposes is swapped where the convolution is", async () => {
  const b = graphBuilder();
  const nhwc = b.input("image", "float32", ["N", 8, 6, 3]);
  const x = stem(transpose(nhwc, [0, 3, 1, 2]));
  const back = transpose(conv(x, b.parameter("w", kernel), undefined, { pads }, "target"), [0, 2, 3, 1]);
  b.output(back, "y");
  const { graph } = swap(prepare(b.build()), { layers: "all" });
  const y = (await run(graph, new Map([["image", random([2, 8, 6, 3], 4)]]))).get("y")!;
  expect(y.dims).toEqual([2, 8, 6, 16]);
});
