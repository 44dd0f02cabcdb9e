import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { batchNorm, conv, linear, relu } from "../../src/nn/layers.js";
import type { ScconvSettings } from "../../src/nn/scconv.js";
import { scconvUnit } from "../../src/nn/units.js";
import { graphBuilder } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/runtime/safetensors.js";
import { trainableParts } from "../../src/train/parts.js";
import { decodeWeights } from "../../src/weights/decode-weights.js";
import { type LoadOptions, loadWeights } from "../../src/weights/load-weights.js";
import { fromPort, unwrapped } from "../../src/weights/names.js";
import { expectClose } from "../ops/close.js";
import { fixture } from "./fixtures.js";

const engine = nodeEngine({ threads: 1 });
const open: { release(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((s) => s.release())));

async function run(graph: Graph, x: Tensor): Promise<Tensor> {
  const session = await engine.open(lower(graph));
  open.push(session);
  return (await session.run(new Map([[graph.inputs[0]!.name, x]]))).get(graph.outputs[0]!.name)!;
}

/** What make.py calls Tiny. */
function tiny({ classes = 3 } = {}): Graph {
  const random = new Random(3, 1);
  const b = graphBuilder();
  let x = b.input("input", "float32", ["N", 3, 8, 8]);
  x = relu(batchNorm(conv(x, 4, "conv1", random), "bn1"));
  const pooled = b.add("Flatten", [b.add("GlobalAveragePool", [x])]);
  b.output(linear(pooled, classes, "fc", random), "logits");
  return b.build();
}

const tensorsOf = async (name: string) => (await decodeWeights(fixture(name), name)).tensors;
const load = async (name: string, graph: Graph, options?: LoadOptions) =>
  loadWeights(graph, await tensorsOf(name), { where: name, ...options });

describe("weights of PyTorch in a graph of ours", () => {
  it.each(["tiny.pt", "checkpoint.pt", "protocol4.pt"])("%s gives PyTorch's logits", async (name) => {
    const io = await tensorsOf("tiny-io.pt");
    const { graph, loaded, skipped, port } = await load(name, tiny());
    expect(loaded).toHaveLength(7);
    expect({ skipped, port }).toEqual({ skipped: [], port: false });
    expectClose(await run(graph, io.get("input")!), io.get("logits")!, 1e-5, "logits");
  });

  it("come from safetensors, too, and from floats of other widths", async () => {
    const io = await tensorsOf("tiny-io.pt");
    for (const dtype of ["float32", "float64", "float16"] as const) {
      const tensors = new Map(
        [...(await tensorsOf("tiny.pt"))].map(([n, t]) => [n, t.dtype === "int64" ? t : t.cast(dtype)]),
      );
      const { tensors: read } = await decodeWeights(encodeSafetensors(tensors), "tiny.safetensors");
      const { graph } = loadWeights(tiny(), read);
      expect([...graph.initializers.values()].every((t) => t.dtype === "float32")).toBe(true);
      const tolerance = dtype === "float16" ? 2e-3 : 1e-5;
      expectClose(await run(graph, io.get("input")!), io.get("logits")!, tolerance, dtype);
    }
  });

  it("go back out under the same names", async () => {
    const { graph } = await load("tiny.pt", tiny());
    const { parameters, statistics } = trainableParts(graph);
    const { tensors } = decodeSafetensors(encodeSafetensors(new Map([...parameters, ...statistics])), "f");
    const theirs = await tensorsOf("tiny.pt");
    const names = [...theirs.keys()].filter((n) => n !== "bn1.num_batches_tracked");
    expect([...tensors.keys()].sort()).toEqual(names.sort());
    for (const n of names) expect([...tensors.get(n)!.bytes], n).toEqual([...theirs.get(n)!.bytes]);
  });

  it("of another number of classes are refused, with the flag that leaves the classifier out", async () => {
    await expect(load("tiny.pt", tiny({ classes: 5 }))).rejects.toThrowError(
      "tiny.pt: does not fit the network: 2 of another shape (fc.weight is 3×4, here 5×4; fc.bias is 3, here 5) " +
        "(--weights-skip 'fc.*' keeps fresh values there)",
    );
    const own = tiny({ classes: 5 });
    const { graph, loaded, skipped } = await load("tiny.pt", own, { skip: "fc.*" });
    expect(skipped).toEqual(["fc.weight", "fc.bias"]);
    expect(loaded).toHaveLength(5);
    expect(graph.initializers.get("fc.weight")).toBe(own.initializers.get("fc.weight"));
  });

  it("that do not fit say all of it at once", async () => {
    const tensors = new Map(await tensorsOf("tiny.pt"));
    tensors.delete("conv1.weight");
    tensors.set("bn1.bias", Tensor.zeros("float32", [7]));
    tensors.set("bn1.weight", Tensor.zeros("int64", [4]));
    for (let i = 0; i < 6; i++) tensors.set(`layer${i}.weight`, Tensor.zeros("float32", [1]));
    expect(() => loadWeights(tiny(), tensors, { where: "net.pt" })).toThrowError(
      "net.pt: does not fit the network: 1 missing (conv1.weight), 6 that the network does not have " +
        "(layer0.weight; layer1.weight; layer2.weight; layer3.weight …), " +
        "2 of another shape (bn1.weight is int64; bn1.bias is 7, here 4)",
    );
    expect(() => loadWeights(tiny(), new Map())).toThrowError(/7 missing/);
    expect(() => loadWeights(tiny(), tensors, { skip: "nothing.*" })).toThrowError(
      /no parameter has such a name.*got "nothing\.\*"/,
    );
  });
});

describe("weights of the common SCConv port", () => {
  function unit(settings: Partial<ScconvSettings>): Graph {
    const b = graphBuilder();
    const x = b.input("x", "float32", ["N", 16, 6, 6]);
    const y = scconvUnit(settings)(x, 16, "conv", new Random(1, 1), { kernel: 3, stride: 1 });
    b.output(y, "y");
    return b.build();
  }
  const theirs = { gate: "soft", fuse: "all" } as const;

  it("load, and compute what the port does", async () => {
    const io = await tensorsOf("port-io.pt");
    const { graph, port, loaded } = await load("port.pt", unit(theirs), { unit: theirs });
    expect(port).toBe(true);
    expect(loaded).toHaveLength(8);
    expectClose(await run(graph, io.get("x")!), io.get("y")!, 1e-5, "y");
  });

  it.each([{}, { gate: "soft" } as const, { fuse: "all" } as const])(
    "are refused where the network computes otherwise: %o",
    async (settings) => {
      const loading = load("port.pt", unit(settings), { unit: settings });
      await expect(loading).rejects.toThrowError(/port, which computes otherwise, need gate soft, fuse all/);
      await expect(loading).rejects.toMatchObject({ code: "bad-setting" });
    },
  );
});

describe("names", () => {
  it("lose what a wrapper put before all of them, and nothing else", () => {
    const plain = (names: string[], known: string[] = []) => [...unwrapped(names, new Set(known)).keys()];
    expect(plain(["module.a", "module.b"])).toEqual(["a", "b"]);
    expect(plain(["_orig_mod.module.model.a"])).toEqual(["a"]);
    expect(plain(["module.a", "b"])).toEqual(["module.a", "b"]);
    expect(plain(["net.a", "net.b"], ["net.a"])).toEqual(["net.a", "net.b"]);
    expect(plain([])).toEqual([]);
  });

  it("of the port are translated inside a network and alone", () => {
    expect(fromPort("layer1.0.conv2.CRU.GWC.bias")).toBe("layer1.0.conv2.cru.gwc.bias");
    expect(fromPort("SRU.gn.weight")).toBe("sru.gn.weight");
    expect(fromPort("CRU.GWC.weights")).toBeUndefined();
    expect(fromPort("XCRU.GWC.weight")).toBeUndefined();
  });
});
