import { Random } from "../dist/base/random.js";
import { encodeNpy } from "../dist/cli/npy.js";
import { modelOf } from "../dist/graph/model.js";
import { encodeModel, graphBuilder, Tensor } from "../dist/index.js";
import { conv, linear } from "../dist/nn/layers.js";
import { operators } from "../dist/ops/index.js";
import { encodeSafetensors } from "../dist/runtime/safetensors.js";

/** Small valid files to begin with, by the reader that they are for. */
export const seeds = { onnx: models, safetensors, npy };

const written = (b, more = {}) => Buffer.from(encodeModel({ ...modelOf(b.build()), ...more }));

function models() {
  return [classifier(), residual(), sizes(), branches(), quantised(), old(), ...everyOperator()];
}

function classifier() {
  const b = graphBuilder({ name: "classifier" });
  const random = new Random(1);
  const x = b.input("x", "float32", ["N", 2, 8, 8]);
  const c = conv(x, 4, "conv", random, { kernel: 3, stride: 1 });
  const s = ["scale", "bias", "mean", "var"].map((n) =>
    b.parameter(n, Tensor.from("float32", [4], [1, 1, 1, 1])),
  );
  const r = b.add("Relu", [b.add("BatchNormalization", [c, ...s])]);
  const p = b.add("MaxPool", [r], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 });
  const y = linear(b.add("Flatten", [b.add("GlobalAveragePool", [p])]), 3, "fc", random);
  b.output(b.add("Softmax", [y]), "y");
  return written(b, { metadata: new Map([["scconv.normalize", "imagenet"]]) });
}

function residual() {
  const b = graphBuilder({ name: "residual" });
  const random = new Random(2);
  const x = b.input("x", "float32", [1, 8, 8, 8]);
  const a = b.add("Relu", [conv(x, 8, "conv1", random, { kernel: 3, stride: 1 })]);
  const c = conv(a, 8, "conv2", random, { kernel: 3, stride: 1 });
  b.output(b.add("Add", [c, x]), "y");
  return written(b);
}

function sizes() {
  const b = graphBuilder({ name: "sizes" });
  const x = b.input("x", "float32", ["N", 2, "H", "W"]);
  const shape = b.add("Shape", [x]);
  const n = b.add("Gather", [shape, b.ints([0])], { axis: 0 });
  const flat = b.add("Reshape", [x, b.add("Concat", [n, b.ints([-1])], { axis: 0 })]);
  const zeros = b.add("ConstantOfShape", [b.ints([2, 3])]);
  const wide = b.add("Expand", [zeros, b.ints([4, 2, 3])]);
  const tiled = b.add("Tile", [wide, b.ints([1, 2, 1])]);
  const range = b.add(
    "Range",
    [0, 6, 1].map((v) => b.scalar(v, "int64")),
  );
  const picked = b.add("Gather", [tiled, b.add("Slice", [range, b.ints([0]), b.ints([3]), b.ints([0])])], {
    axis: 0,
  });
  const padded = b.add("Pad", [picked, b.ints([0, 0, 0, 1, 1, 1])]);
  const grown = b.add(
    "Resize",
    [b.add("Unsqueeze", [padded, b.ints([0])]), undefined, undefined, b.ints([1, 4, 10, 8])],
    { mode: "linear" },
  );
  b.output(flat, "flat");
  b.output(grown, "grown");
  return written(b);
}

function branches() {
  const body = (op) => {
    const inner = graphBuilder({ name: "branch" });
    inner.output(inner.add(op, [inner.input("unused", "float32", [2])]), `${op}.y`);
    const graph = inner.build();
    const nodes = graph.nodes.map((n) => ({ ...n, inputs: n.inputs.map((i) => (i === "unused" ? "x" : i)) }));
    return { ...graph, inputs: [], nodes };
  };
  const b = graphBuilder({ name: "branches" });
  b.input("x", "float32", [2]);
  b.input("c", "bool", []);
  const graph = b.build();
  const attributes = new Map([
    ["then_branch", { kind: "graph", value: body("Relu") }],
    ["else_branch", { kind: "graph", value: body("Neg") }],
  ]);
  const node = { op: "If", domain: "", name: "if", inputs: ["c"], outputs: ["y"], attributes };
  const outputs = [{ name: "y", type: { dtype: "float32", shape: [2] } }];
  return Buffer.from(encodeModel(modelOf({ ...graph, nodes: [node], outputs })));
}

function quantised() {
  const b = graphBuilder({ name: "quantised" });
  const x = b.input("x", "float32", [1, 2, 6, 6]);
  const q = b.parameter(
    "w",
    Tensor.from(
      "int8",
      [4, 2, 3, 3],
      Array.from({ length: 72 }, (_, i) => i - 36),
    ),
  );
  const w = b.add("DequantizeLinear", [q, b.scalar(0.02), b.parameter("zero", Tensor.scalar("int8", 0))]);
  b.output(b.add("Conv", [x, w], { pads: [1, 1, 1, 1] }), "y");
  return written(b);
}

/** Operator set 9: attributes that became inputs later. */
function old() {
  const b = graphBuilder({ name: "old" });
  const x = b.input("x", "float32", [1, 2, 4, 4]);
  b.output(x, undefined);
  const graph = b.build();
  const node = (op, inputs, output, attributes) => ({
    op,
    domain: "",
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
  });
  const ints = (...value) => ({ kind: "ints", value });
  const nodes = [
    node("Pad", ["x"], "p", {
      pads: ints(0, 0, 1, 1, 0, 0, 1, 1),
      mode: { kind: "string", value: "constant" },
    }),
    node("Slice", ["p"], "s", { starts: ints(1, 1), ends: ints(5, 5), axes: ints(2, 3) }),
    node("Upsample", ["s", "scales"], "u", { mode: { kind: "string", value: "nearest" } }),
    node("Unsqueeze", ["u"], "q", { axes: ints(0) }),
    node("Squeeze", ["q"], "y", { axes: ints(0) }),
  ];
  const initializers = new Map([["scales", Tensor.from("float32", [4], [1, 1, 2, 2])]]);
  const outputs = [{ name: "y", type: undefined }];
  return Buffer.from(
    encodeModel(modelOf({ ...graph, nodes, outputs, initializers, opsets: new Map([["", 9]]) })),
  );
}

/** One node of every operator that one of a few kinds of inputs fits. */
function* everyOperator() {
  for (const op of operators.keys()) {
    for (const arrange of arrangements) {
      const b = graphBuilder({ name: op });
      try {
        b.output(b.add(op, arrange(b), { axis: 1 }), "y");
        yield written(b);
        break;
      } catch {
        // Other inputs, then.
      }
    }
  }
}

const f32 = (b, name, shape = [2, 4, 6, 6]) => b.input(name, "float32", shape);
const arrangements = [
  (b) => [f32(b, "x")],
  (b) => [f32(b, "x"), f32(b, "z")],
  (b) => [f32(b, "x"), b.ints([1])],
  (b) => [f32(b, "x"), b.ints([1, 1, 2, 2])],
  (b) => [f32(b, "x"), f32(b, "w", [4, 4, 3, 3])],
  (b) => [f32(b, "x", [3, 4]), f32(b, "w", [4, 5])],
  (b) => [f32(b, "x"), f32(b, "scale", [4]), f32(b, "bias", [4])],
  (b) => [b.input("c", "bool", [2, 2]), f32(b, "x", [2, 2]), f32(b, "z", [2, 2])],
  (b) => [f32(b, "x"), b.input("i", "int64", [2, 4, 6, 6]), f32(b, "z")],
];

const tensors = () =>
  new Map([
    ["a", Tensor.from("float32", [2, 2], [1, 2, 3, 4])],
    ["b", Tensor.from("int64", [1], [7])],
  ]);
function safetensors() {
  return [Buffer.from(encodeSafetensors(tensors(), new Map([["note", "kept"]])))];
}
function npy() {
  return [...tensors().values()].map((t) => Buffer.from(encodeNpy(t)));
}
