import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { planSwap, swap } from "../../src/surgery/swap.js";
import { trainableParts } from "../../src/train/parts.js";
import { basic, bottleneck, folded, network, plain, preActivation, withConv } from "./networks.js";

const names = (graph: Graph, layers: string) => planSwap(graph, { layers }).swapped.map((c) => c.name);

const networks = {
  basic: network((x, r) => basic(basic(x, "block1", r), "block2", r)),
  folded: network((x, r) => folded(folded(x, "block1", r), "block2", r)),
  bottleneck: network((x, r) => bottleneck(x, "block1", r)),
  preActivation: network((x, r) => preActivation(preActivation(x, "block1", r), "block2", r)),
  plain: network((x, r) => plain(plain(x, "a", r), "b", r)),
};

describe("second", () => {
  it.each([
    ["basic", ["block1.conv2.conv", "block2.conv2.conv"]],
    ["folded", ["block1.conv2.conv", "block2.conv2.conv"]],
    ["bottleneck", ["block1.conv2.conv"]],
    ["preActivation", ["block1.conv2.conv", "block2.conv2.conv"]],
  ] as const)("in %s blocks is the one nearest the addition", (kind, want) => {
    expect(names(networks[kind], "second")).toEqual(want);
  });

  it("is none in a plain network", () => {
    expect(() => planSwap(networks.plain, { layers: "second" })).toThrowError(
      /no convolution of this model can be swapped, got 1× it is the network's first convolution; 2× not named by --layers second/,
    );
  });
});

describe("the choice of layers", () => {
  it("all are all that fit, but the first", () => {
    expect(names(networks.basic, "all")).toHaveLength(4);
    expect(names(networks.plain, "all")).toEqual(["a.conv.conv", "b.conv.conv"]);
    const { kept } = planSwap(networks.bottleneck, { layers: "all" });
    expect(kept.map((k) => k.reason)).toEqual([
      "it is the network's first convolution",
      ...Array(3).fill("it is point-wise (1×1)"),
    ]);
  });

  it("globs match whole names, in the graph's order, each once", () => {
    expect(names(networks.basic, "*.conv1.*")).toEqual(["block1.conv1.conv", "block2.conv1.conv"]);
    expect(names(networks.basic, "block2.conv2.conv, block?.conv2.conv")).toEqual([
      "block1.conv2.conv",
      "block2.conv2.conv",
    ]);
    // A dot is a dot.
    expect(() => names(networks.basic, "block1xconv1xconv")).toThrowError(
      /--layers: no convolution is called "block1xconv1xconv" \(there are conv0\.conv, block1\.conv1\.conv/,
    );
    expect(() => names(networks.basic, "conv1")).toThrowError(/no convolution is called "conv1"/);
  });

  it("names that stay are reported with why they were not chosen", () => {
    const { kept } = planSwap(networks.basic, { layers: "block1.*" });
    expect(kept).toContainEqual({ name: "block2.conv1.conv", reason: "not named by --layers block1.*" });
  });

  it("of nothing that can be swapped is an error with all reasons", () => {
    expect(() => planSwap(withConv({ weight: [16, 16, 2, 2] }), { layers: "all" })).toThrowError(
      /can be swapped, got 1× it is the network's first convolution; 1× its kernel is 2×2/,
    );
    expect(() => planSwap(networks.basic, { layers: "conv0.*" })).toThrowError(
      expect.objectContaining({ code: "bad-input" }),
    );
    const empty = { ...networks.basic, nodes: networks.basic.nodes.filter((n) => n.op !== "Conv") };
    expect(() => planSwap(empty, { layers: "all" })).toThrowError(/a model without convolutions/);
  });
});

describe("swap", () => {
  const original = networks.basic;
  const { graph, units, swapped, kept } = swap(original, { layers: "second", seed: 3 });

  it("keeps the names, types and order of inputs and outputs, and what it did not touch", () => {
    verify(graph, operators);
    expect(graph.inputs).toEqual(original.inputs);
    expect(graph.outputs).toEqual(original.outputs);
    expect(graph.inputs[0]!.type!.shape![0]).toBe("N");
    const untouched = original.nodes.filter((n) => n.op === "Conv" && !swapped.some((c) => c.node === n));
    for (const node of untouched) {
      expect(graph.nodes.find((n) => n.name === node.name)).toMatchObject({ outputs: node.outputs });
      expect(graph.initializers.get(node.inputs[1]!)).toBe(original.initializers.get(node.inputs[1]!));
    }
    expect(kept).toHaveLength(3);
  });

  it("keeps metadata and documentation of the file", () => {
    const model = { ...modelOf(original, undefined, new Map([["author", "me"]])), doc: "about" };
    const read = decodeModel(encodeModel(model));
    const after = swap(read.graph, { layers: "second" }).graph;
    const written = decodeModel(encodeModel(modelOf(lower(after), read)));
    expect(written.metadata.get("author")).toBe("me");
    expect(written.doc).toBe("about");
    expect(written.graph.inputs.map((i) => [i.name, i.type])).toEqual(
      original.inputs.map((i) => [i.name, i.type]),
    );
    expect(written.graph.name).toBe(original.name);
  });

  it("leaves nothing of the old convolution, and names the new weights after it", () => {
    expect(graph.initializers.has("block1.conv2.weight")).toBe(false);
    expect(units.map((u) => u.name)).toEqual(["block1.conv2", "block2.conv2"]);
    const parameters = [...trainableParts(graph).parameters.keys()].filter((n) =>
      n.includes("block1.conv2."),
    );
    expect(parameters).toHaveLength(8);
    for (const u of units) expect(graph.nodes.some((n) => n.outputs.includes(u.output))).toBe(true);
  });

  it("runs, for any batch, in the original's shapes", async () => {
    const engine = nodeEngine({ threads: 1 });
    for (const [name, net] of Object.entries(networks)) {
      const layers = name === "plain" ? "all" : "second";
      const session = await engine.open(lower(swap(net, { layers }).graph));
      for (const n of [1, 3]) {
        const images = Tensor.from("float32", [n, 3, 8, 8], new Float64Array(n * 192).fill(0.5));
        const { dims } = (await session.run(new Map([["input", images]]))).get("logits")!;
        expect([...dims], name).toEqual([n, 4]);
      }
      await session.release();
    }
  });

  it("is the same for the same seed, and different weights in every unit", () => {
    const weight = (seed: number, name: string) => [
      ...swap(original, { layers: "second", seed }).graph.initializers.get(`${name}.cru.pwc1.weight`)!.bytes,
    ];
    expect(weight(3, "block1.conv2")).toEqual(weight(3, "block1.conv2"));
    expect(weight(3, "block1.conv2")).not.toEqual(weight(4, "block1.conv2"));
    expect(weight(3, "block1.conv2")).not.toEqual(weight(3, "block2.conv2"));
  });

  it("opens the gate as far as asked", () => {
    const shifted = swap(original, { layers: "second", settings: { gateBias: 2 } }).graph;
    expect(shifted.initializers.get("block1.conv2.sru.gn.bias")!.numbers()[0]).toBe(2);
  });

  it("reports settings that it adapted", () => {
    const odd = swap(original, { layers: "second", settings: { groups: 5 } });
    expect(odd.units.map((u) => u.adapted)).toEqual([["groups 5 → 4"], ["groups 5 → 4"]]);
    expect(odd.units[0]!.settings.groups).toBe(4);
  });
});

describe("the batch norm behind a unit", () => {
  const norms = (graph: Graph) => graph.nodes.filter((n) => n.op === "BatchNormalization").length;

  it("is the file's own where it has one", () => {
    const { graph, units } = swap(networks.basic, { layers: "second" });
    expect(norms(graph)).toBe(norms(networks.basic));
    expect(units[0]!.norm).toMatchObject({
      own: false,
      parameters: ["weight", "bias", "running_mean", "running_var"].map((p) => `block1.bn2.${p}`),
    });
    const before = networks.basic.nodes.find((n) => n.name === "block1.bn2.bn")!;
    expect(units[0]!.target.output).toBe(before.outputs[0]);
    for (const name of units[0]!.norm.parameters)
      expect(graph.initializers.get(name)).toBe(networks.basic.initializers.get(name));
  });

  it("is new where the file's was folded into the convolution", () => {
    const { graph, units } = swap(networks.folded, { layers: "second" });
    expect(norms(graph)).toBe(norms(networks.folded) + 2);
    expect(units[0]!.norm).toMatchObject({
      own: true,
      parameters: ["weight", "bias", "running_mean", "running_var"].map((p) => `block1.conv2.bn.${p}`),
    });
    const conv = networks.folded.nodes.find((n) => n.name === "block1.conv2.conv")!;
    expect(units[0]!.target).toEqual({ input: conv.inputs[0], output: conv.outputs[0] });
  });

  it("is new where the file's comes before the convolution", () => {
    const { units } = swap(networks.preActivation, { layers: "second" });
    expect(units.map((u) => u.norm.own)).toEqual([true, true]);
    const first = swap(networks.preActivation, { layers: "*.conv1.*" });
    // conv1 is followed by bn2 alone.
    expect(first.units.map((u) => u.norm.own)).toEqual([false, false]);
  });
});
