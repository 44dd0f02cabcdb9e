import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import type { PlacedUnit } from "../../src/nn/placed-unit.js";
import { type ScconvSettings, scconvDefaults } from "../../src/nn/scconv.js";
import { scconvUnit } from "../../src/nn/units.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { deploy, findUnits } from "../../src/optimise/index.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

const engine = nodeEngine({ threads: 1 });

/** A small network of units with random weights, gates, shifts and running statistics. */
function network(settings: Partial<ScconvSettings>, seed: number): Graph {
  const graph = resnetCifar({
    ...{ depth: 8, widths: [8, 16, 32], size: 12, where: "all" },
    unit: scconvUnit(settings),
    seed,
  });
  const random = new Random(seed, 99);
  const initializers = new Map(graph.initializers);
  for (const [name, t] of initializers) {
    if (t.dims.length !== 1 || t.dtype !== "float32") continue;
    const positive = name.endsWith("running_var");
    const values = Float64Array.from({ length: t.size }, () =>
      positive ? random.uniform(0.5, 2) : random.normal() * 0.5 + (name.endsWith(".weight") ? 1 : 0),
    );
    initializers.set(name, Tensor.from("float32", t.dims, values));
  }
  return { ...graph, initializers };
}

async function logits(graph: Graph, images: Tensor): Promise<Float32Array> {
  const session = await engine.open(graph);
  const results = await session.run(new Map([["input", images]]));
  await session.release();
  return results.get("logits")!.data as Float32Array;
}

function distance(a: Float32Array, b: Float32Array): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

const cases: Record<string, Partial<ScconvSettings>> = {
  defaults: {},
  "alpha 1/4": { alpha: 0.25, convGroups: 1 },
  "alpha 3/4, squeeze 1": { alpha: 0.75, squeeze: 1, convGroups: 1 },
  "threshold 0.55": { threshold: 0.55 },
  "threshold 0.45": { threshold: 0.45 },
  "hard gate": { gate: "hard" },
  "scope channel": { scope: "channel" },
  "soft gate": { gate: "soft" },
  "order cs": { order: "cs" },
  "fuse all": { fuse: "all" },
};

describe("deploy", () => {
  for (const [name, settings] of Object.entries(cases)) {
    it(`gives the same logits: ${name}`, async () => {
      for (const seed of [1, 2]) {
        const graph = network(settings, seed);
        const units = findUnits(graph, { ...scconvDefaults, ...settings });
        expect(units).toHaveLength(6);
        const random = new Random(seed);
        const pixels = Float32Array.from({ length: 4 * 3 * 144 }, () => random.normal());
        const images = Tensor.of("float32", [4, 3, 12, 12], pixels);
        const short = deploy(graph, units);
        verify(short, operators);
        expect(distance(await logits(short, images), await logits(lower(graph), images))).toBeLessThan(2e-5);
      }
    });
  }

  it("gives the same logits where scales are negative together, or 0 here and there", async () => {
    const random = new Random(7);
    const pixels = Float32Array.from({ length: 4 * 3 * 144 }, () => random.normal());
    const images = Tensor.of("float32", [4, 3, 12, 12], pixels);
    for (const change of [(g: number) => -g, (g: number, i: number) => (i % 3 === 0 ? 0 : g)]) {
      const graph = network({}, 3);
      const initializers = new Map(graph.initializers);
      for (const [name, t] of initializers)
        if (name.endsWith("sru.gn.weight"))
          initializers.set(name, Tensor.from("float32", t.dims, Float64Array.from(t.numbers(), change)));
      const changed = { ...graph, initializers };
      const short = deploy(changed, findUnits(changed, scconvDefaults));
      expect(distance(await logits(short, images), await logits(lower(changed), images))).toBeLessThan(2e-5);
    }
  });

  it("compares with a threshold where the input may be negative, and scales it where it is not", () => {
    const first = (units: readonly PlacedUnit[]) =>
      deploy(graph, units)
        .nodes.filter((n) => n.name.startsWith(units[0]!.name))
        .map((n) => n.op)
        .filter((op) => op === "ThresholdedRelu" || op === "Greater");
    const graph = network({}, 1);
    const units = findUnits(graph, scconvDefaults);
    expect(first(units)).toEqual(["ThresholdedRelu", "ThresholdedRelu"]);
    // One of each for each half of the channels; what a batch norm makes is of both signs.
    const norm = graph.nodes.find((n) => n.op === "BatchNormalization")!.outputs[0]!;
    expect(first([{ ...units[0]!, input: norm }])).toEqual(["Greater", "Greater"]);
  });

  it("fills the lower part up to a block from half a block on, and leaves what is narrower or whole", () => {
    const rowsAt = (settings: Partial<ScconvSettings>) => {
      const graph = network(settings, 1);
      const short = deploy(graph, findUnits(graph, { ...scconvDefaults, ...settings }));
      const rows = short.nodes
        .filter((n) => /\.squeeze_low(_\d+)?$/.test(n.name))
        .map((n) => short.initializers.get(n.inputs[1]!)!.dims[0]);
      return [...new Set(rows)];
    };
    // 2, 4 and 8 channels of 8, 16 and 32.
    expect(rowsAt({})).toEqual([2, 4, 16]);
    // 3, 6 and 12; with squeeze 1 6, 12 and 24.
    expect(rowsAt({ alpha: 0.25, convGroups: 1 })).toEqual([3, 6, 16]);
    expect(rowsAt({ alpha: 0.25, squeeze: 1, convGroups: 1 })).toEqual([6, 16, 24]);
  });

  it("takes fewer nodes", () => {
    const graph = network({}, 1);
    const short = deploy(graph, findUnits(graph, scconvDefaults));
    expect(short.nodes.some((n) => n.op === "BatchNormalization")).toBe(false);
    expect(short.nodes.length).toBeLessThan(0.8 * lower(graph).nodes.length);
  });
});
