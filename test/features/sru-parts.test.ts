import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { featureLayers } from "../../src/features/layers.js";
import { observeFeatures } from "../../src/features/observe.js";
import type { SruMaps } from "../../src/features/sru-parts.js";
import type { Graph } from "../../src/graph/ir.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { type ScconvSettings, scconvDefaults } from "../../src/nn/scconv.js";
import { scconvUnit } from "../../src/nn/units.js";
import { lower } from "../../src/ops/lower.js";
import { deploy, findUnits } from "../../src/optimise/index.js";
import { trainableParts, withInitializers } from "../../src/train/parts.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

const where = "a.onnx";
const engine = nodeEngine({ threads: 1 });
const gamma = ".sru.gn.weight";

/** A network of units whose γ and β are drawn, so that gates are open here and closed there. */
function networkOf(settings: Partial<ScconvSettings>, mean = 0.3): Graph {
  const graph = resnetCifar({
    ...{ depth: 8, widths: [8, 16, 32], size: 16, seed: 3 },
    where: settings.order === "parallel" ? "second" : "all",
    unit: scconvUnit(settings),
  });
  const random = new Random(9);
  const drawn = new Map(
    [...trainableParts(graph).parameters].map(([name, t]) => [
      name,
      name.includes(".sru.gn.")
        ? Tensor.from(
            "float32",
            t.dims,
            Array.from({ length: t.size }, () => random.normal() + mean),
          )
        : t,
    ]),
  );
  return withInitializers(graph, drawn);
}

const random = new Random(1);
const feeds = new Map([
  [
    "input",
    Tensor.from(
      "float32",
      [1, 3, 16, 16],
      Float64Array.from({ length: 768 }, () => random.normal()),
    ),
  ],
]);

async function observed(graph: Graph) {
  const units = featureLayers(graph, { where, raw: true }).filter((l) => l.op === "SCConv");
  return observeFeatures(engine, graph, units, [feeds], { where, sru: true });
}
const found = (sru: SruMaps | { missing: string } | undefined): SruMaps => {
  if (!sru || "missing" in sru) throw new Error(`no SRU: ${sru?.missing}`);
  return sru;
};
const away = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (v, k) => Math.abs(v - b[k]!)));

/** SPEC: by hand, of the rich and the poor part. */
function crosswise({ rich, poor }: SruMaps): number[] {
  const plane = rich.height * rich.width;
  const of = ({ values }: SruMaps["rich"], c: number) =>
    Array.from({ length: plane }, (_, p) => values[c * plane + p]!);
  return Array.from({ length: rich.maps }, (_, c) => {
    const other = (c + rich.maps / 2) % rich.maps;
    return of(rich, c).map((v, p) => v + of(poor, other)[p]!);
  }).flat();
}

describe("the parts of an SRU", () => {
  const cases: readonly [string, Partial<ScconvSettings>, mean?: number][] = [
    ["element, straight-through", {}],
    ["element, Σγ below 0", {}, -1],
    ["element, Σγ below 0, α = 1/4", { alpha: 0.25, convGroups: 1 }, -1],
    ["element, hard", { gate: "hard" }],
    ["element, threshold 0.51", { threshold: 0.51 }],
    ["element, α = 1/4", { alpha: 0.25, convGroups: 1 }],
    ["channel", { scope: "channel" }],
    ["element, soft", { gate: "soft" }],
    ["channel, soft", { scope: "channel", gate: "soft" }],
    ["CRU first", { order: "cs" }],
    ["parallel", { order: "parallel" }],
    ["with the standard convolution", { order: "s" }],
  ];
  for (const [name, settings, mean] of cases) {
    it(`are found as they are trained and as they are deployed: ${name}`, async () => {
      const graph = networkOf(settings, mean);
      const trained = await observed(lower(graph));
      const deployed = await observed(deploy(graph, findUnits(graph, { ...scconvDefaults, ...settings })));
      expect(trained.length).toBeGreaterThan(0);
      let [open, closed] = [0, 0];
      for (const [i, { sru, unit, first, name: unitName }] of trained.entries()) {
        const parts = found(sru);
        expect(away(parts.out.values, crosswise(parts))).toBeLessThan(1e-6);
        if (settings.gate !== "soft") {
          const { input, rich, poor } = parts;
          expect(
            away(
              input.values,
              Array.from(rich.values, (v, k) => v + poor.values[k]!),
            ),
          ).toBe(0);
          expect(Array.from(rich.values).every((v, k) => v === 0 || v === input.values[k])).toBe(true);
        }
        // There the SRU's output is the unit's, as the engine computed it.
        if (settings.order === "cs") expect(away(parts.out.values, first.values)).toBeLessThan(1e-5);
        open += Array.from(parts.rich.values).filter((v) => v !== 0).length;
        closed += Array.from(parts.poor.values).filter((v) => v !== 0).length;
        const short = found(deployed[i]!.sru);
        expect(deployed[i]!.name).toBe(unitName);
        for (const key of ["input", "rich", "poor", "out"] as const) {
          expect(short[key].maps).toBe(parts[key].maps);
          // At most a pixel or two on the edge of the gate falls to the other side.
          const apart = Array.from(parts[key].values).filter(
            (v, k) => Math.abs(v - short[key].values[k]!) > 1e-3 * Math.max(1, Math.abs(v)),
          );
          expect(apart.length, `${unitName} ${key}`).toBeLessThan(0.01 * parts[key].values.length);
        }
        if (settings.scope === "channel")
          for (const share of deployed[i]!.unit!.rich!) expect([0, 1]).toContain(share);
        expect(unit!.rich).toHaveLength(parts.input.maps);
      }
      expect(Math.min(open, closed)).toBeGreaterThan(100);
    });
  }

  it("are missing with a reason where the unit has none, or where folding left no trace", async () => {
    const without = networkOf({ order: "c" });
    for (const { sru } of await observed(lower(without)))
      expect(sru).toEqual({ missing: expect.stringMatching(/order c/) });
    const settings = { scope: "channel", alpha: 0.25, convGroups: 1 } as const;
    const graph = networkOf(settings);
    const folded = await observed(deploy(graph, findUnits(graph, { ...scconvDefaults, ...settings })));
    expect(folded.length).toBeGreaterThan(0);
    for (const { sru } of folded) if (sru && "missing" in sru) expect(sru.missing).toMatch(/folded/);
  });

  it("are not kept unless they are asked for", async () => {
    const graph = lower(networkOf({}));
    const [layer] = featureLayers(graph, { where }).filter((l) => l.op === "SCConv");
    const [only] = await observeFeatures(engine, graph, [layer!], [feeds], { where });
    expect(only!.sru).toBeUndefined();
    expect([...graph.initializers.keys()].some((n) => n.endsWith(gamma))).toBe(true);
  });
});
