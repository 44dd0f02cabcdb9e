import { describe, expect, it } from "vitest";
import { type DType, isFloat } from "../../src/base/dtype.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import {
  type AttributeInput,
  attributesFrom,
  float,
  floats,
  type Graph,
  type Node,
} from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { upgrade } from "../../src/ops/upgrade.js";
import { expectClose } from "./close.js";
import { distinct, ints, uniform } from "./operator-case.js";

interface OldNode {
  readonly op: string;
  readonly opset: number;
  readonly name: string;
  /** The first is fed, the others are initializers. */
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly outputs?: number;
  /** The inputs that set 7 says the same with: the engine knows nothing older. */
  readonly inSeven?: readonly (Tensor | undefined)[];
  /** Outputs that are compared; all of them unless given. */
  readonly compare?: number;
}

const f32 = (t: Tensor) => (isFloat(t.dtype) ? t.cast("float32") : t);

/** One node as an old file has it, which no builder of ours would write. */
function oldGraph({ op, opset, inputs, attributes = {}, outputs = 1, compare = outputs }: OldNode): Graph {
  const names = inputs.map((t, i) => (t ? `x${i}` : ""));
  const node: Node = {
    op,
    domain: "",
    name: "node",
    inputs: names,
    outputs: Array.from({ length: outputs }, (_, i) => `y${i}`),
    attributes: attributesFrom(attributes),
  };
  const first = f32(inputs[0]!);
  return {
    name: "old",
    nodes: [node],
    inputs: [{ name: "x0", type: { dtype: first.dtype, shape: first.dims } }],
    outputs: node.outputs
      .slice(0, compare)
      .map((name) => ({ name, type: { dtype: first.dtype, shape: undefined } })),
    initializers: new Map(inputs.flatMap((t, i) => (t && i > 0 ? [[`x${i}`, f32(t)] as const] : []))),
    types: new Map(),
    opsets: new Map([["", opset]]),
  };
}

const reduce = (op: string): OldNode[] => [
  { op, opset: 11, name: "axes", inputs: [distinct([2, 3, 4])], attributes: { axes: [0, -1] } },
  { op, opset: 13, name: "no axes", inputs: [distinct([2, 3])], attributes: { keepdims: 0 } },
];
const stats = [uniform([3]), uniform([3]), uniform([3]), uniform([3], { low: 0.5 })];

const [wide, column, row, slopes] = [uniform([2, 3, 4, 2]), uniform([3, 4]), uniform([4]), uniform([3])];
const [batch, matrix] = [uniform([2, 3, 4]), uniform([2, 3])];
const image = uniform([2, 3, 2, 2]);

const cases: readonly OldNode[] = [
  {
    op: "Add",
    opset: 6,
    name: "broadcast along an axis",
    inputs: [wide, column],
    attributes: { broadcast: 1, axis: 1 },
    inSeven: [wide, column.reshape([3, 4, 1])],
  },
  {
    op: "Mul",
    opset: 6,
    name: "broadcast at the end",
    inputs: [batch, row],
    attributes: { broadcast: 1 },
    inSeven: [batch, row],
  },
  {
    op: "PRelu",
    opset: 6,
    name: "a slope to a channel",
    inputs: [image, slopes],
    inSeven: [image, slopes.reshape([3, 1, 1])],
  },
  {
    op: "Gemm",
    opset: 6,
    name: "broadcast",
    inputs: [matrix, column, row],
    attributes: { broadcast: 1 },
    inSeven: [matrix, column, row],
  },
  {
    op: "BatchNormalization",
    opset: 6,
    name: "test run",
    inputs: [image, ...stats],
    attributes: { is_test: 1 },
    inSeven: [image, ...stats],
  },
  { op: "Squeeze", opset: 11, name: "axes", inputs: [uniform([1, 3, 1])], attributes: { axes: [0, -1] } },
  { op: "Squeeze", opset: 9, name: "no axes", inputs: [uniform([1, 3, 1])] },
  { op: "Unsqueeze", opset: 11, name: "axes", inputs: [uniform([3, 2])], attributes: { axes: [0, 3] } },
  ...["ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2"].flatMap(reduce),
  {
    op: "Slice",
    opset: 9,
    name: "bounds",
    inputs: [uniform([4, 5])],
    attributes: { starts: [1, -3], ends: [3, 9] },
  },
  {
    op: "Slice",
    opset: 9,
    name: "axes",
    inputs: [uniform([4, 5])],
    attributes: { starts: [1], ends: [-1], axes: [1] },
  },
  {
    op: "Split",
    opset: 11,
    name: "sizes",
    inputs: [uniform([2, 5])],
    attributes: { axis: 1, split: [2, 3] },
    outputs: 2,
  },
  { op: "Split", opset: 11, name: "equal", inputs: [uniform([6, 2])], outputs: 3 },
  { op: "Split", opset: 13, name: "equal", inputs: [uniform([6, 2])], outputs: 2 },
  {
    op: "Pad",
    opset: 10,
    name: "a value",
    inputs: [uniform([2, 3])],
    attributes: { pads: [0, 1, 1, 0], value: float(2) },
  },
  {
    op: "Pad",
    opset: 9,
    name: "reflect",
    inputs: [uniform([3, 3])],
    attributes: { pads: [0, 1, 0, 2], mode: "reflect" },
  },
  {
    op: "Clip",
    opset: 9,
    name: "both",
    inputs: [uniform([2, 3])],
    attributes: { min: float(-0.5), max: float(0.5) },
  },
  { op: "Clip", opset: 10, name: "upper only", inputs: [uniform([2, 3])], attributes: { max: float(0.5) } },
  { op: "Clip", opset: 11, name: "inputs", inputs: [uniform([2, 3]), Tensor.scalar("float32", 0)] },
  { op: "Dropout", opset: 10, name: "ratio", inputs: [uniform([2, 3])], attributes: { ratio: float(0.4) } },
  { op: "Dropout", opset: 11, name: "unused mask", inputs: [uniform([2, 3])], outputs: 2, compare: 1 },
  {
    op: "BatchNormalization",
    opset: 9,
    name: "inference",
    inputs: [uniform([2, 3, 2]), ...stats],
    attributes: { epsilon: float(0.01) },
  },
  {
    op: "BatchNormalization",
    opset: 7,
    name: "spatial",
    inputs: [uniform([2, 3, 2, 2]), ...stats],
    attributes: { spatial: 1 },
  },
  ...(["Softmax", "LogSoftmax"] as const).flatMap((op): OldNode[] => [
    { op, opset: 11, name: "matrix", inputs: [uniform([3, 4])] },
    { op, opset: 9, name: "last axis", inputs: [uniform([2, 3, 4])], attributes: { axis: 2 } },
    { op, opset: 11, name: "classes, then nothing", inputs: [uniform([2, 4, 1, 1])] },
    { op, opset: 12, name: "over several axes", inputs: [uniform([2, 3, 4])], attributes: { axis: 1 } },
    { op, opset: 12, name: "over all axes", inputs: [uniform([2, 3])], attributes: { axis: 0 } },
    { op, opset: 11, name: "negative axis", inputs: [uniform([2, 3, 4])], attributes: { axis: -2 } },
  ]),
  {
    op: "Upsample",
    opset: 7,
    name: "nearest",
    inputs: [uniform([1, 2, 2, 3])],
    attributes: { mode: "nearest", scales: floats([1, 1, 2, 3]) },
  },
  {
    op: "Upsample",
    opset: 9,
    name: "nearest",
    inputs: [uniform([1, 2, 2, 3]), Tensor.from("float32", [4], [1, 1, 2, 2])],
    attributes: { mode: "nearest" },
  },
  {
    op: "Upsample",
    opset: 9,
    name: "linear",
    inputs: [uniform([1, 2, 3, 3]), Tensor.from("float32", [4], [1, 1, 2, 2])],
    attributes: { mode: "linear" },
  },
  {
    op: "Resize",
    opset: 10,
    name: "nearest",
    inputs: [uniform([1, 1, 4, 4]), Tensor.from("float32", [4], [1, 1, 1.5, 2])],
    attributes: { mode: "nearest" },
  },
  {
    op: "Resize",
    opset: 10,
    name: "linear",
    inputs: [uniform([1, 1, 4, 4]), Tensor.from("float32", [4], [1, 1, 1.5, 2])],
    attributes: { mode: "linear" },
  },
  {
    op: "Resize",
    opset: 11,
    name: "sizes beside empty scales",
    inputs: [
      uniform([1, 1, 3, 3]),
      Tensor.from("float32", [0], []),
      Tensor.from("float32", [0], []),
      ints(1, 1, 6, 5),
    ],
    attributes: { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel" },
  },
  { op: "Gemm", opset: 9, name: "with C", inputs: [uniform([2, 3]), uniform([3, 4]), uniform([4])] },
  {
    op: "TopK",
    opset: 9,
    name: "k",
    inputs: [distinct([2, 5])],
    attributes: { k: 2 },
    outputs: 2,
    compare: 1,
  },
];

const engine = nodeEngine({ threads: 1 });
async function run(bytes: Uint8Array, x: Tensor) {
  const session = await engine.open(bytes);
  const result = await session.run(new Map([["x0", x]]));
  await session.release();
  return result;
}
const bytesOf = (graph: Graph, irVersion: number) =>
  encodeModel({ graph, irVersion, producer: { name: "test", version: "" }, metadata: new Map() });

describe("upgrade", () => {
  it.each(cases)("$op of set $opset: $name", async (c) => {
    const old = oldGraph(c);
    const graph = upgrade(old);
    expect(graph.opsets.get("")).toBe(18);
    verify(graph, operators);
    expect(graph.nodes.map((n) => n.name)).toContain("node");
    const x = f32(c.inputs[0]!);
    const seven = c.inSeven && oldGraph({ ...c, opset: 7, inputs: c.inSeven, attributes: {} });
    const want = await run(bytesOf(seven ?? old, 6), x);
    const got = await run(bytesOf(graph, 8), x);
    const ours = evaluateGraph(graph, new Map([["x0", x]]));
    for (const [name, tensor] of want) {
      expectClose(got.get(name)!, tensor, 1e-6, name);
      expectClose(ours.get(name)!, tensor, 1e-5, name);
    }
  });

  it("leaves newer graphs as they are", () => {
    const graph = graphBuilder({ opsets: new Map([["", 21]]) }).build();
    expect(upgrade(graph)).toBe(graph);
  });

  it("turns a training BatchNormalization into one with training_mode", () => {
    const old = oldGraph({
      op: "BatchNormalization",
      opset: 9,
      name: "",
      inputs: [uniform([2, 3, 2]), ...stats],
      outputs: 5,
      compare: 1,
    });
    const [node] = upgrade(old).nodes;
    expect(node!.attributes.get("training_mode")).toMatchObject({ value: 1 });
    expect(node!.outputs).toEqual(["y0", "y1", "y2"]);
  });

  it("reaches into sub-graphs", () => {
    const body = oldGraph({
      op: "Squeeze",
      opset: 11,
      name: "",
      inputs: [uniform([1, 2])],
      attributes: { axes: [0] },
    });
    const types: [string, DType][] = [
      ["c", "bool"],
      ["x0", "float32"],
    ];
    const graph: Graph = {
      ...body,
      inputs: types.map(([name, dtype]) => ({ name, type: { dtype, shape: name === "c" ? [] : [1, 2] } })),
      nodes: [
        {
          op: "If",
          domain: "",
          name: "if",
          inputs: ["c"],
          outputs: ["z"],
          attributes: new Map([
            ["then_branch", { kind: "graph", value: { ...body, inputs: [] } }],
            ["else_branch", { kind: "graph", value: { ...body, inputs: [] } }],
          ]),
        },
      ],
      outputs: [{ name: "z", type: undefined }],
    };
    const [node] = upgrade(graph).nodes;
    const branch = node!.attributes.get("then_branch");
    expect(branch?.kind === "graph" && branch.value.nodes[0]!.inputs).toHaveLength(2);
  });

  it.each([
    ["a set that is too old", { op: "Relu", opset: 5, name: "", inputs: [uniform([2])] }],
    [
      "statistics for each pixel",
      {
        op: "BatchNormalization",
        opset: 7,
        name: "",
        inputs: [uniform([2, 3]), ...stats],
        attributes: { spatial: 0 },
      },
    ],
    ["what changed its meaning beyond repair", { op: "Scan", opset: 8, name: "", inputs: [uniform([2, 3])] }],
  ] satisfies [string, OldNode][])("refuses %s", (_what, c) => {
    expect(() => upgrade(oldGraph(c))).toThrowError(expect.objectContaining({ code: "unsupported" }));
  });
});
