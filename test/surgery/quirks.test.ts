/*
 * What exporters of other frameworks do to a convolution: Keras and timm's ports pad by a node of its own, tf2onnx keeps NHWC between
 * transposes and writes a batch norm as a product and a sum, Paddle hides weights in Constant nodes and leaves batch norms whole.
 */
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { GraphBuilder, Value } from "../../src/graph/builder.js";
import { encodeModel } from "../../src/graph/codec.js";
import { type Graph, intsAttr } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { scconvDefaults } from "../../src/nn/scconv.js";
import { add, conv, mul, relu, transpose } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { foldBatchNorm } from "../../src/optimise/fold-batch-norm.js";
import { matchConvolutions } from "../../src/surgery/match.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { trainableParts } from "../../src/train/parts.js";
import { expectClose } from "../ops/close.js";

const random = (dims: readonly number[], key: number, from = -0.3): Tensor => {
  const r = new Random(12, key);
  return Tensor.from(
    "float32",
    dims,
    Float32Array.from({ length: sizeOf(dims) }, () => r.uniform(from, 0.3 - from)),
  );
};
const kernel = random([16, 16, 3, 3], 1);
const image = (b: GraphBuilder) => b.input("image", "float32", ["N", 3, "H", "W"]);
const stem = (x: Value): Value =>
  relu(
    conv(x, x.builder.parameter("stem", random([16, 3, 3, 3], 2)), undefined, { pads: [1, 1, 1, 1] }, "stem"),
  );
const engine = nodeEngine({ threads: 1 });

async function run(graph: Graph, x: Tensor): Promise<Tensor> {
  const session = await engine.open(encodeModel(modelOf(lower(graph))));
  try {
    return (await session.run(new Map([["image", x]]))).get("y")!;
  } finally {
    await session.release();
  }
}

/** Without the Identity that gives an output its name. */
const operatorsOf = (graph: Graph) => graph.nodes.map((n) => n.op).filter((op) => op !== "Identity");

/** Our reading says what the file says; the convolution `target` is swapped, and the outputs' shapes stay. */
async function swapped(graph: Graph, x: Tensor): Promise<Graph> {
  const ready = prepare(graph);
  verify(ready, operators);
  const before = await run(graph, x);
  expectClose(await run(ready, x), before, 1e-5);
  const target = matchConvolutions(ready, scconvDefaults).find((c) => c.name === "target");
  expect(target?.reason).toBeUndefined();
  expect(target?.swappable).toBe(true);
  const { graph: other } = swap(ready, { layers: "target" });
  verify(other, operators);
  expect((await run(other, x)).dims).toEqual(before.dims);
  return ready;
}

describe("padding by a node of its own", () => {
  const padded = (
    pads: readonly number[],
    own: Record<string, string | number[]>,
    value?: number,
    mode = "constant",
  ) => {
    const b = graphBuilder();
    const fill = value === undefined ? undefined : b.scalar(value);
    const x = b.add("Pad", [stem(image(b)), b.ints(pads), fill], { mode }, { name: "pad" });
    const settings = { strides: [2, 2], ...own };
    b.output(b.add("Conv", [x, b.parameter("w", kernel)], settings, { name: "target" }), "y");
    return b.build();
  };
  const x = random([2, 3, 9, 8], 3);

  it.each([
    ["around a VALID convolution", padded([0, 0, 1, 1, 0, 0, 1, 1], { auto_pad: "VALID" }, 0)],
    ["beside padding of its own", padded([0, 0, 1, 0, 0, 0, 1, 0], { pads: [0, 1, 0, 1] })],
  ])("%s is the convolution's", async (_, graph) => {
    const ready = await swapped(graph, x);
    expect(operatorsOf(ready)).toEqual(["Conv", "Relu", "Conv"]);
    expect(intsAttr(ready.nodes[2]!, "pads")).toEqual([1, 1, 1, 1]);
  });

  it.each([
    ["with another value", padded([0, 0, 1, 1, 0, 0, 1, 1], {}, 1)],
    ["by reflection", padded([0, 0, 1, 1, 0, 0, 1, 1], {}, undefined, "reflect")],
    ["of channels", channels()],
    ["that cuts away", padded([0, 0, -1, 1, 0, 0, 1, 1], {}, 0)],
  ])("%s stays a node", async (_, graph) => {
    const ready = prepare(graph);
    expect(ready.nodes.map((n) => n.op)).toContain("Pad");
    expectClose(await run(ready, x), await run(graph, x), 1e-5);
  });

  it("that something else reads too stays", () => {
    const b = graphBuilder();
    const p = b.add("Pad", [stem(image(b)), b.ints([0, 0, 1, 1, 0, 0, 1, 1])]);
    const y = conv(p, b.parameter("w", kernel), undefined, {}, "target");
    b.output(
      b.add("Concat", [b.add("GlobalAveragePool", [p]), b.add("GlobalAveragePool", [y])], { axis: 1 }),
      "y",
    );
    expect(prepare(b.build()).nodes.map((n) => n.op)).toContain("Pad");
  });

  /** Sixteen channels made of fifteen. */
  function channels(): Graph {
    const b = graphBuilder();
    const fewer = conv(image(b), b.parameter("stem", random([15, 3, 3, 3], 5)), undefined, {}, "stem");
    const p = b.add("Pad", [fewer, b.ints([0, 1, 1, 1, 0, 0, 1, 1])]);
    b.output(conv(p, b.parameter("w", kernel), undefined, {}, "target"), "y");
    return b.build();
  }
});

describe("SAME_UPPER", () => {
  it.each([8, 9])("at stride 2 over %d pixels is swapped", async (size) => {
    const b = graphBuilder();
    const settings = { strides: [2, 2], auto_pad: "SAME_UPPER" };
    b.output(b.add("Conv", [stem(image(b)), b.parameter("w", kernel)], settings, { name: "target" }), "y");
    const ready = await swapped(b.build(), random([2, 3, size, size], 3));
    expect(operatorsOf(ready)).toEqual(["Conv", "Relu", "Conv"]);
  });
});

describe("a batch norm", () => {
  const x = random([2, 3, 8, 6], 3);

  it("written as a product and a sum is trained, and the convolution before it is swapped", async () => {
    const b = graphBuilder();
    const y = conv(stem(image(b)), b.parameter("w", kernel), undefined, { pads: [1, 1, 1, 1] }, "target");
    const scaled = mul(y, b.parameter("scale", random([1, 16, 1, 1], 6)));
    b.output(relu(add(b.parameter("shift", random([16, 1, 1], 7)), scaled)), "y");
    const ready = await swapped(b.build(), x);
    expect([...trainableParts(ready).parameters.keys()]).toEqual(["stem", "w", "scale", "shift"]);
  });

  it("left whole, with all that it reads in Constant nodes, is found and folded", async () => {
    const b = graphBuilder();
    const constant = (t: Tensor) => b.add("Identity", [b.add("Constant", [], { value: t })]);
    const y = conv(stem(image(b)), constant(kernel), undefined, { pads: [1, 1, 1, 1] }, "target");
    const norm = [0.5, -0.3, -0.3, 0.4].map((from, i) => constant(random([16], 20 + i, from)));
    b.output(b.add("BatchNormalization", [y, ...norm], {}, { name: "bn" }), "y");
    const graph = b.build();
    const ready = await swapped(graph, x);
    const { parameters, statistics } = trainableParts(ready);
    expect([parameters.size, statistics.size]).toEqual([4, 2]);
    const folded = foldBatchNorm(ready);
    expect(operatorsOf(folded)).toEqual(["Conv", "Relu", "Conv"]);
    expectClose(await run(folded, x), await run(graph, x), 1e-5);
  });
});

it("NHWC with a bias added there is swapped, and the bias trained", async () => {
  const b = graphBuilder();
  const nhwc = transpose(stem(image(b)), [0, 2, 3, 1]);
  const hwio = b.parameter("w", random([3, 3, 16, 16], 8));
  const w = transpose(hwio, [3, 2, 0, 1]);
  const y = conv(transpose(nhwc, [0, 3, 1, 2]), w, undefined, { pads: [1, 1, 1, 1] }, "target");
  const biased = add(transpose(y, [0, 2, 3, 1]), b.parameter("bias", random([16], 9)));
  b.output(relu(biased), "y");
  const ready = await swapped(b.build(), random([2, 3, 8, 6], 3));
  expect([...trainableParts(ready).parameters.values()].map((t) => t.dims.length)).toEqual([4, 4, 1]);
});

it("a float convolution between QuantizeLinear and DequantizeLinear is swapped", async () => {
  const b = graphBuilder();
  const zero = b.constant(Tensor.from("uint8", [], [128]));
  const scale = b.scalar(0.05);
  const through = (x: Value) =>
    b.add("DequantizeLinear", [b.add("QuantizeLinear", [x, scale, zero]), scale, zero]);
  const codes = Tensor.from(
    "int8",
    kernel.dims,
    Array.from(kernel.numbers(), (v) => Math.round(v * 300)),
  );
  const scales = b.constant(Tensor.from("float32", [16], new Float32Array(16).fill(1 / 300)));
  const w = b.add("DequantizeLinear", [b.parameter("w", codes), scales], { axis: 0 });
  b.output(through(conv(through(stem(image(b))), w, undefined, { pads: [1, 1, 1, 1] }, "target")), "y");
  await swapped(b.build(), random([2, 3, 8, 6], 3));
});
