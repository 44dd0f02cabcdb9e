import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { featureLayers, unitScopes } from "../../src/features/layers.js";
import { observeFeatures } from "../../src/features/observe.js";
import type { Graph } from "../../src/graph/ir.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { conv } from "../../src/nn/layers.js";
import { scconvDefaults } from "../../src/nn/scconv.js";
import { scconvUnit } from "../../src/nn/units.js";
import { graphBuilder } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { deploy, findUnits } from "../../src/optimise/index.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

const where = "a.onnx";
const engine = nodeEngine({ threads: 1 });

/** 1×1 convolution with these weights, and a ReLU: maps x, −x, x, 0·x. */
function fourMaps(): Graph {
  const b = graphBuilder({ name: "four" });
  const x = b.input("input", "float32", ["N", 1, 2, 2]);
  const w = b.parameter("w", Tensor.from("float32", [4, 1, 1, 1], [1, -1, 2, 0]));
  b.output(b.add("Relu", [b.scope("conv", () => b.add("Conv", [x, w]))]), "y");
  return b.build();
}
const image = (...values: number[]) => new Map([["input", Tensor.from("float32", [1, 1, 2, 2], values)]]);

describe("features of a graph", () => {
  it("are a convolution's maps behind its activation, measured over all images", async () => {
    const graph = fourMaps();
    const layers = featureLayers(graph, { where });
    expect(layers.map((l) => [l.op, l.through])).toEqual([["Conv", ["Relu"]]]);
    const [only] = await observeFeatures(engine, graph, layers, [image(1, 2, 3, 4), image(-1, 0, 1, 0)], {
      where,
    });
    const r = only!.redundancy;
    expect(r).toMatchObject({ maps: 4, dead: 1, deadMaps: [3] });
    expect(r.mostAlike.map((p) => p.maps)).toEqual([[0, 2]]);
    // Zeros: of x 0 + 3, of −x 4 + 3, of 2x 0 + 3, of the dead map 8.
    expect(r.zeros).toBeCloseTo((3 + 7 + 3 + 8) / 32, 12);
    expect(Array.from({ length: 4 }, (_, k) => only!.first.values[k])).toEqual([1, 2, 3, 4]);
  });

  it("are its own output when that is asked for", async () => {
    const graph = fourMaps();
    const layers = featureLayers(graph, { where, raw: true });
    const [only] = await observeFeatures(engine, graph, layers, [image(1, 2, 3, 4)], { where });
    expect(only!.first.values[4]).toBe(-1);
    expect(only!.redundancy.zeros).toBeCloseTo(1 / 4, 12);
  });

  it("are refused for a name that nothing has, with the nearest", () => {
    expect(() => featureLayers(fourMaps(), { where, layers: "convv" })).toThrow(/"convv".*nearest: .*conv/);
  });

  it("know a unit's gate and β, the same in the trained and in the folded form", async () => {
    const graph = resnetCifar({
      ...{ depth: 8, widths: [8, 16, 32], size: 16, where: "all", seed: 3 },
      unit: scconvUnit({}),
    });
    const random = new Random(1);
    const feeds = [0, 1].map(
      () =>
        new Map([
          [
            "input",
            Tensor.from(
              "float32",
              [1, 3, 16, 16],
              Float64Array.from({ length: 768 }, () => random.normal()),
            ),
          ],
        ]),
    );
    const folded = deploy(graph, findUnits(graph, scconvDefaults));
    const of = async (g: Graph) => {
      const units = featureLayers(g, { where }).filter((l) => l.op === "SCConv");
      expect(units.length).toBe(unitScopes(graph).length);
      return observeFeatures(engine, g, units, feeds, { where });
    };
    const [trained, short] = [await of(lower(graph)), await of(folded)];
    expect(trained.length).toBeGreaterThan(0);
    for (const [i, { unit, name }] of trained.entries()) {
      expect(short[i]!.name).toBe(name);
      for (const key of ["rich", "beta1", "beta2"] as const) {
        expect(unit![key]!.length).toBeGreaterThan(0);
        unit![key]!.forEach((v, c) => {
          expect(v).toBeGreaterThanOrEqual(0);
          expect(v).toBeLessThanOrEqual(1);
          expect(Math.abs(short[i]!.unit![key]![c]! - v), `${name} ${key} ${c}`).toBeLessThan(0.01);
        });
      }
      expect(unit!.rich!.some((v) => v > 0.1 && v < 0.9)).toBe(true);
    }
  });

  it("do not mix a convolution with what several layers read", () => {
    const b = graphBuilder({ name: "fork" });
    const x = b.input("input", "float32", ["N", 1, 4, 4]);
    const y = conv(x, 2, "c", new Random(1), { kernel: 3, stride: 1 });
    b.output(b.add("Add", [b.add("Relu", [y]), y]), "z");
    expect(featureLayers(b.build(), { where })[0]!.through).toEqual([]);
  });
});
