import { afterAll, describe, expect, it } from "vitest";
import type { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { attributesFrom, type Graph, type Node, opsetOf } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { operatorKey } from "../../src/graph/operator.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { NEWEST_EXPORT, OLDEST_EXPORT, withOpset } from "../../src/ops/with-opset.js";
import { cases } from "./cases/index.js";
import { expectClose } from "./close.js";
import { buildCase, floats, ints, type OperatorCase, uniform } from "./operator-case.js";

const engine = nodeEngine({ threads: 1 });
const sessions: { release(): Promise<void> }[] = [];
afterAll(() => Promise.all(sessions.map((s) => s.release())));

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.open(encodeModel(modelOf(graph)));
  sessions.push(session);
  return session.run(feeds);
}

const built = (c: OperatorCase) => {
  const { outputs, feeds } = buildCase(c, "float32");
  const b = outputs[0]!.builder;
  for (const y of outputs) b.output(y);
  return { graph: lower(b.build()), feeds };
};

/** Every set in which a form of ours changes, and the ends. */
const sets = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 26];

/** Uses of an operator that a set does not have and cannot say. */
const refused: readonly (readonly [op: string, name: RegExp, before: number])[] = [
  ["BatchNormalization", /^training/, 14],
  ["Pad", /^wrap/, 19],
  ["ArgMax", /the last of several/, 12],
  ["ArgMin", /the last of several/, 12],
  ["Pow", /integer exponent/, 12],
  ["Dropout", /with mask/, 12],
  ["GatherND", /^batch/, 12],
  ["ScatterElements", /^(add|mul)/, 16],
  ["ScatterElements", /^(max|min)/, 18],
  ["ScatterND", /^(add|mul)/, 16],
  ["ScatterND", /^(max|min)/, 18],
  ["QuantizeLinear", /channel/, 13],
  ["QuantizeLinear", /^blocks/, 21],
  ["DequantizeLinear", /^blocks/, 21],
  ["Resize", /antialias|not_/, 18],
  ["GridSample", /^volume/, 20],
  ["GridSample", /./, 16],
  ["If", /./, Number.POSITIVE_INFINITY],
  ["Loop", /./, Number.POSITIVE_INFINITY],
  ["Scan", /./, Number.POSITIVE_INFINITY],
];

/** Forms that ONNX Runtime 1.30 has no kernel for. */
const engineLacks: ReadonlyMap<string, number> = new Map([
  ["RoiAlign", 22],
  ["MaxRoiPool", 22],
  ["GlobalLpPool", 22],
]);

function isRefused(c: OperatorCase, to: number): boolean {
  const { since, downgrade, older } = operators.get(operatorKey(c.op, c.domain))!;
  const lacks = !downgrade && !older && c.domain === undefined && to < since;
  return lacks || refused.some(([op, name, before]) => op === c.op && name.test(c.name) && to < before);
}

/** Forms that no case of the operators' own table has. */
const more: readonly OperatorCase[] = [
  {
    op: "Split",
    name: "a smaller last part",
    inputs: [uniform([2, 5])],
    attributes: { axis: 1, num_outputs: 2 },
    outputs: 2,
  },
  { op: "Split", name: "equal parts", inputs: [uniform([4, 3])], attributes: { num_outputs: 2 }, outputs: 2 },
  {
    op: "Pad",
    name: "some axes",
    inputs: [uniform([2, 3, 4]), ints(1, 0, 0, 2), floats([], [3]), ints(-1, 0)],
    constant: [2],
  },
  { op: "Softmax", name: "a middle axis", inputs: [uniform([2, 3, 4])], attributes: { axis: -2 } },
  { op: "LogSoftmax", name: "the first axis", inputs: [uniform([2, 3])], attributes: { axis: 0 } },
  { op: "Shape", name: "a part", inputs: [uniform([2, 3, 4])], attributes: { start: -2, end: 2 } },
  {
    op: "Resize",
    name: "sizes for some axes",
    inputs: [uniform([1, 2, 3, 4]), undefined, undefined, ints(6, 5)],
    attributes: { mode: "linear", axes: [2, 3] },
  },
  {
    op: "Resize",
    name: "scales for some axes",
    inputs: [uniform([1, 2, 3, 4]), undefined, floats([1], [2])],
    attributes: { axes: [-1] },
    constant: [2],
  },
  {
    op: "GroupNormalization",
    name: "one scale for each group",
    inputs: [uniform([2, 6, 3]), uniform([2]), uniform([2])],
    attributes: { num_groups: 2 },
  },
  {
    op: "GroupNormalization",
    name: "one scale for each channel",
    opset: 21,
    inputs: [uniform([2, 6, 3]), uniform([6]), uniform([6])],
    attributes: { num_groups: 2 },
  },
  {
    op: "LayerNormalization",
    name: "with its statistics",
    inputs: [uniform([2, 3, 4]), uniform([3, 4]), uniform([3, 4])],
    attributes: { axis: 1 },
    outputs: 3,
  },
];

const all = [...cases.filter((c) => !c.engineLacks), ...more];
describe.each(all)("$op: $name", (c) => {
  it("computes the same in every operator set that can say it", async () => {
    const { graph, feeds } = built(c);
    const want = await run(graph, feeds);
    for (const to of sets) {
      if (to === (c.opset ?? 18) || to >= (engineLacks.get(c.op) ?? Number.POSITIVE_INFINITY)) continue;
      if (isRefused(c, to)) {
        expect(() => withOpset(graph, to), `set ${to}`).toThrowError(
          expect.objectContaining({ code: "unsupported" }),
        );
        continue;
      }
      const written = withOpset(graph, to);
      expect(opsetOf(written)).toBe(to);
      const got = await run(written, feeds).catch((error) => {
        throw new Error(`set ${to}: ${error.message}`);
      });
      for (const [name, tensor] of want) expectClose(got.get(name)!, tensor, 1e-5, `set ${to}, ${name}`);
    }
  });
});

describe("a graph in another operator set", () => {
  const x = { name: "x", type: { dtype: "float32" as const, shape: [2, 3] } };
  const node = (op: string, name: string, more: Partial<Node> = {}): Node => ({
    ...{ op, domain: "", name, inputs: ["x"], outputs: [`${name}.y`], attributes: new Map(), ...more },
  });
  const graphOf = (nodes: readonly Node[], opset = 18): Graph => ({
    ...{ name: "g", nodes, inputs: [x], initializers: new Map(), types: new Map() },
    outputs: nodes.map((n) => ({ name: n.outputs[0]!, type: undefined })),
    opsets: new Map([["", opset]]),
  });

  it("is itself in its own set", () => {
    const graph = graphBuilder().build();
    expect(withOpset(graph, 18)).toBe(graph);
  });

  it("keeps names and leaves no constant that nothing reads", () => {
    const b = graphBuilder();
    const v = b.add("ReduceMean", [b.input("x", "float32", ["N", 4]), b.ints([1])], {}, { name: "mean" });
    b.output(v, "y");
    const written = withOpset(b.build(), 11);
    expect(written.nodes.map((n) => n.name)).toEqual(["mean", "Identity"]);
    expect([...written.initializers.keys()]).toEqual([]);
    expect(modelOf(written).irVersion).toBe(6);
  });

  it.each([10, NEWEST_EXPORT + 1, 12.5, Number.NaN])("is not written in set %s", (to) => {
    expect(() => withOpset(graphBuilder().build(), to)).toThrowError(/need 11 to 26/);
  });

  it("is refused with all nodes that the set has no words for", () => {
    const graph = graphOf([
      node("ArgMax", "a", { attributes: attributesFrom({ select_last_index: 1 }) }),
      node("Det", "b"),
      node("Relu", "c"),
    ]);
    expect(() => withOpset(graph, OLDEST_EXPORT)).toThrowError(
      'operator set 11 cannot say all of the graph: ArgMax "a": needs set 12 (select_last_index); ' +
        'Det "b": needs set 18: there are no rules for it in others',
    );
  });
});
