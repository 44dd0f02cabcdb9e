import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import type { ScconvSettings } from "../../src/nn/scconv.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { deploy } from "../../src/optimise/index.js";
import { swap } from "../../src/surgery/swap.js";
import { basic, bottleneck, folded, lively, network, plain, preActivation, withEpsilon } from "./networks.js";

const engine = nodeEngine({ threads: 1 });

async function logits(graph: Graph, size: number, seed: number): Promise<Float32Array> {
  const random = new Random(seed, 5);
  const pixels = Float32Array.from({ length: 2 * 3 * size * size }, () => random.normal());
  const session = await engine.open(graph);
  const images = Tensor.of("float32", [2, 3, size, size], pixels);
  const results = await session.run(new Map([["input", images]]));
  await session.release();
  return results.get("logits")!.data as Float32Array;
}

function distance(a: Float32Array, b: Float32Array): number {
  const norm = (v: Float32Array) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  return norm(a.map((x, i) => x - b[i]!)) / norm(b);
}

const blocks = { basic, bottleneck, folded, plain, preActivation };

/** Swapped, with random norms and gates, as it stands and as it is deployed. */
async function bothWays(
  { block, size, seed }: { block: keyof typeof blocks; size: number; seed: number },
  settings: Partial<ScconvSettings>,
  edit = (graph: Graph) => graph,
) {
  const original = edit(network((x, r) => blocks[block](blocks[block](x, "a", r), "b", r), size));
  const { graph, units } = swap(original, { layers: "all", settings, seed });
  const trained = lively(graph, seed);
  const short = deploy(trained, units);
  verify(short, operators);
  const [a, b] = [await logits(short, size, seed), await logits(lower(trained), size, seed)];
  return { short, trained, units, distance: distance(a, b) };
}

/** A gate's argument at its threshold may round to the other side; a wrong rewrite is off by far more. */
const EQUAL = 5e-4;

describe("what is deployed after a swap", () => {
  it("answers as what was trained, whatever the settings", async () => {
    const settings = fc.record({
      ...{ gate: fc.constantFrom("straight-through", "hard", "soft"), fuse: fc.constantFrom("pair", "all") },
      ...{ scope: fc.constantFrom("element", "channel"), order: fc.constantFrom("sc", "sc", "cs", "c") },
      ...{ alpha: fc.constantFrom(0.25, 0.5, 0.75), threshold: fc.constantFrom(0.45, 0.5, 0.53) },
      ...{
        squeeze: fc.constantFrom(1, 2),
        convGroups: fc.constantFrom(1, 2),
        groups: fc.constantFrom(1, 4, 8),
      },
      eps: fc.constantFrom(1e-5, 1e-3),
    });
    const where = fc.record({
      block: fc.constantFrom(...(Object.keys(blocks) as (keyof typeof blocks)[])),
      size: fc.constantFrom(7, 8),
      seed: fc.integer({ min: 0, max: 1000 }),
    });
    const property = fc.asyncProperty(where, settings, async (at, chosen) => {
      expect((await bothWays(at, chosen)).distance).toBeLessThan(EQUAL);
    });
    await fc.assert(property, { numRuns: 25, seed: 8 });
  });

  it("has no batch norm, no gate in seven passes, and only standard operators", async () => {
    const { short, trained, units } = await bothWays({ block: "basic", size: 8, seed: 1 }, {});
    expect(units).toHaveLength(4);
    expect(short.nodes.filter((n) => n.op === "BatchNormalization" || n.domain !== "")).toEqual([]);
    expect(short.nodes.length).toBeLessThan(0.8 * lower(trained).nodes.length);
    expect(short.inputs).toEqual(trained.inputs);
    expect(short.outputs).toEqual(trained.outputs);
  });

  it.each(["basic", "folded"] as const)("takes the file's own epsilon: %s", async (block) => {
    const edit = (graph: Graph) => withEpsilon(graph, 0.1);
    expect((await bothWays({ block, size: 8, seed: 2 }, {}, edit)).distance).toBeLessThan(EQUAL);
  });

  it("needs no number for the image's size", async () => {
    const original = network((x, r) => basic(x, "a", r), "S");
    const { graph, units } = swap(original, { layers: "second" });
    const trained = lively(graph, 4);
    const short = deploy(trained, units);
    for (const size of [6, 11])
      expect(distance(await logits(short, size, 1), await logits(lower(trained), size, 1))).toBeLessThan(
        EQUAL,
      );
  });

  it("holds where Σγ is negative, where channels have γ = 0, and where the norm's scale is 0", async () => {
    const original = network((x, r) => basic(x, "a", r));
    const { graph, units } = swap(original, { layers: "second" });
    const base = lively(graph, 6);
    const set = (name: string, f: (v: number, i: number) => number) => {
      const t = base.initializers.get(name)!;
      const values = Float64Array.from(t.numbers(), f);
      return [name, Tensor.from("float32", t.dims, values)] as const;
    };
    const gamma = "a.conv2.sru.gn.weight";
    const variants = [
      [set(gamma, (v) => -Math.abs(v))],
      [set(gamma, (v, i) => (i % 3 === 0 ? 0 : v))],
      [set(gamma, (v, i) => (i % 3 === 0 ? 0 : -v))],
      [set("a.bn2.weight", (v, i) => (i % 4 === 0 ? 0 : v))],
      [set("a.bn2.weight", (v) => -v)],
    ];
    for (const [i, changes] of variants.entries()) {
      const trained = { ...base, initializers: new Map([...base.initializers, ...changes]) };
      const short = deploy(trained, units);
      const [a, b] = [await logits(short, 8, 1), await logits(lower(trained), 8, 1)];
      expect(distance(a, b), `variant ${i}`).toBeLessThan(EQUAL);
    }
  });
});
