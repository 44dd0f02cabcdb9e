import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { producers } from "../../src/graph/walk.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { bindSizes } from "../../src/ops/bind.js";
import { operators } from "../../src/ops/index.js";
import { randomFeeds } from "../../src/runtime/random-feeds.js";
import { asInNetwork, bordersOf, partOf, signatureOf } from "../../src/surgery/surroundings.js";
import { architecture } from "../../src/zoo/index.js";
import { expectClose } from "../ops/close.js";

const engine = nodeEngine({ threads: 1 });
const network = (name: string): Graph =>
  bindSizes(architecture(name)({ classes: 4, size: 32, width: 0.25 }), new Map([["N", 2]]));
const partAt = (graph: Graph, name: string) => {
  const node = graph.nodes.find((n) => n.name === name)!;
  expect(node).toBeDefined();
  return partOf(graph, bordersOf(graph, node));
};
const convolutions = (part: Graph) => part.nodes.filter((n) => n.op === "Conv").map((n) => n.name);

describe("the surroundings of a convolution", () => {
  it("reach from the convolutions before it to those behind it", () => {
    const graph = network("resnet50-cifar");
    const names = graph.nodes.filter((n) => n.op === "Conv").map((n) => n.name);
    const at = names.findIndex((n) => n.includes("layer2.1.conv2"));
    const part = partAt(graph, names[at]!);
    verify(part, operators);
    expect(convolutions(part)).toEqual(expect.arrayContaining([names[at - 1]!, names[at]!, names[at + 1]!]));
    expect(part.nodes.map((n) => n.op)).toContain("BatchNormalization");
    expect(part.nodes.length).toBeLessThan(16);
  });

  it("do not follow the other branch of a sum to the beginning of the network", () => {
    const graph = network("resnet20");
    const names = graph.nodes.filter((n) => n.op === "Conv").map((n) => n.name);
    for (const name of names) {
      const part = partAt(graph, name);
      verify(part, operators);
      expect(convolutions(part)).toContain(name);
      expect(convolutions(part).length).toBeLessThan(6);
    }
  });

  it("compute what the network computes there", async () => {
    const graph = network("resnet20");
    const name = graph.nodes.filter((n) => n.op === "Conv")[7]!.name;
    const part = partAt(graph, name);
    const random = new Random(1);
    const image = Tensor.from(
      "float32",
      [2, 3, 32, 32],
      Float64Array.from({ length: 6144 }, () => random.normal()),
    );
    const seen = [...part.inputs, ...part.outputs];
    const whole = await engine.open({ ...graph, outputs: seen });
    const values = await whole.run(new Map([["input", image]]));
    const session = await engine.open(part);
    const got = await session.run(new Map(part.inputs.map((i) => [i.name, values.get(i.name)!])));
    for (const { name: output } of part.outputs)
      expectClose(got.get(output)!, values.get(output)!, 1e-5, output);
    await Promise.all([whole.release(), session.release()]);
  });

  it("stand between pools of one pixel and means, so that nothing large leaves the engine", async () => {
    const part = partAt(network("resnet50-cifar"), "layer2.1.conv2.conv");
    const pooled = asInNetwork(part);
    verify(pooled, operators);
    // What a unit in its place reads is called as before: it reads what comes out of the pool, too.
    const makers = producers(pooled);
    expect(part.inputs.map((i) => makers.get(i.name)?.op)).toEqual(part.inputs.map(() => "MaxPool"));
    expect(part.outputs.map((o) => o.type?.shape)).toContainEqual([2, 128, 16, 16]);
    expect(pooled.outputs.map((o) => o.type?.shape)).toEqual(
      part.outputs.map((o) => [...o.type!.shape!.slice(0, 2), 1, 1]),
    );
    const feeds = [...randomFeeds(part, { batch: 2, where: "here" }, 1).values()];
    const results = async (graph: Graph) => {
      const session = await engine.open(graph);
      const values = await session.run(new Map(graph.inputs.map((input, i) => [input.name, feeds[i]!])));
      await session.release();
      return [...values.values()];
    };
    const [whole, means] = [await results(part), await results(pooled)];
    for (const [i, { dims, data }] of whole.entries()) {
      const [, , h, w] = dims as [number, number, number, number];
      const sums = new Float64Array(data.length / (h * w));
      (data as Float32Array).forEach((v, k) => {
        sums[Math.floor(k / (h * w))]! += v / (h * w);
      });
      expectClose(means[i]!, Tensor.from("float32", means[i]!.dims, sums), 1e-5, "mean");
    }
  });

  it("have one signature where only names and weights differ", () => {
    const graph = network("resnet50-cifar");
    const find = (text: string) => graph.nodes.find((n) => n.op === "Conv" && n.name.includes(text))!.name;
    const signature = (text: string) => signatureOf(partAt(graph, find(text)));
    expect(signature("layer2.1.conv2")).toBe(signature("layer2.2.conv2"));
    expect(signature("layer2.1.conv2")).not.toBe(signature("layer3.1.conv2"));
  });
});
