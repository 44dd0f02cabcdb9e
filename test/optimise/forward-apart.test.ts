import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { convUnit } from "../../src/nn/units.js";
import { add, mul, reduceMean, relu, reshape } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { forwardApart } from "../../src/optimise/forward-apart.js";
import { randomFeeds } from "../../src/runtime/random-feeds.js";
import type { NamedTensors } from "../../src/runtime/session.js";
import { sgd } from "../../src/train/optimizer.js";
import { buildStep, classification } from "../../src/train/step.js";
import { architecture } from "../../src/zoo/index.js";
import { program, tinyNets } from "../train/tiny.js";

const apart = (graph: Graph) => forwardApart(graph, { from: "images", to: "loss" });
const opOf = (graph: Graph, op: string) => graph.nodes.filter((n) => n.op === op);
const feedsOf = (graph: Graph): NamedTensors => randomFeeds(graph, { batch: 1, where: "a test" }, 7);

/** What the engine gives, and the most bytes that it held for values at once, by its own profile. */
async function measured(graph: Graph): Promise<{ results: NamedTensors; held: number }> {
  const folder = await mkdtemp(join(tmpdir(), "scconv-held-"));
  try {
    const session = await nodeEngine({ threads: 1 }).open(graph, {
      ...{ profile: join(folder, "profile"), oneBlock: false },
    });
    const results = await session.run(feedsOf(graph));
    await session.release();
    const [file] = await readdir(folder);
    const events = JSON.parse(await readFile(join(folder, file!), "utf8")) as {
      args?: Record<string, string>;
    }[];
    const held = events.flatMap(({ args }) => Number(args?.mem_bytes_requested_in_use ?? []));
    expect(held.length).toBeGreaterThan(graph.nodes.length / 4);
    return { results, held: Math.max(...held) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("a forward pass apart", () => {
  it.each(Object.keys(tinyNets))("gives the same bits: %s", async (name) => {
    for (const recompute of [undefined, "elementwise"] as const) {
      const { graph } = program(tinyNets[name]!, { recompute });
      const other = apart(graph);
      verify(other, operators);
      expect(opOf(other, "If")).toHaveLength(1);
      // Outside are the batch norms that are made again.
      expect(opOf(other, "BatchNormalization").length > 0).toBe(recompute !== undefined);
      const [before, after] = await Promise.all([measured(graph), measured(other)]);
      expect(after.results.size).toBe(graph.outputs.length);
      for (const [key, tensor] of before.results) {
        expect(Buffer.compare(after.results.get(key)!.bytes, tensor.bytes), key).toBe(0);
      }
    }
  });

  it("holds less", async () => {
    const unit = convUnit("scconv", {});
    const student = architecture("resnet18")({
      classes: 10,
      channels: 3,
      size: 64,
      where: "all",
      seed: 0,
      unit,
    });
    const objective = classification(student, undefined, {});
    for (const [recompute, most] of [
      [undefined, 0.97],
      ["elementwise", 0.9],
    ] as const) {
      const { graph } = buildStep({ student, batch: 4, optimizer: sgd(), objective, recompute });
      const [before, after] = [await measured(graph), await measured(apart(graph))];
      expect(after.held).toBeLessThan(most * before.held);
    }
  });

  it("makes views outside again, and is left out where it cannot be told apart", () => {
    const step = (size: number | "N") => {
      const b = graphBuilder();
      const images = b.input("images", "float32", [size, 2, 4, 4]);
      const w = b.input("w", "float32", [1, 2, 1, 1]);
      const y = relu(mul(images, w));
      const rows = reshape(y, [-1, 16]);
      const loss = reduceMean(mul(rows, rows), [0, 1], false);
      b.output(loss, "loss");
      b.output(differentiate(b, loss, [w])[0]!, "dw");
      b.output(add(rows, 1), "rows");
      return b.build();
    };
    const graph = apart(step(2));
    const [choice] = opOf(graph, "If");
    const branches = [...choice!.attributes.values()].flatMap((a) => (a.kind === "graph" ? [a.value] : []));
    expect(branches).toHaveLength(2);
    expect(branches[0]!.outputs.map((o) => o.type)).toEqual(branches[1]!.outputs.map((o) => o.type));
    // Rows are y in another shape: y is given, and they are made again from it.
    expect(choice!.outputs.map((name) => graph.types.get(name)?.shape)).not.toContainEqual([4, 16]);
    expect(opOf(branches[0]!, "Reshape")).toHaveLength(1);
    const open = step("N");
    expect(apart(open)).toBe(open);
    const none = tinyNets.standard!;
    expect(apart(none)).toBe(none);
  });
});
