import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ConvUnitName, convUnit, type UnitSettings } from "../../src/nn/units.js";
import { trainableParts } from "../../src/train/parts.js";
import { architecture, type Where } from "../../src/zoo/index.js";
import { countNetwork } from "../../src/zoo/paper/count.js";
import { countTable2, countTable3, differs, paperTables } from "../../src/zoo/paper/tables.js";

const rows = [...countTable2(), ...countTable3()];
const titled = rows.map((r) => [`${r.network} ${r.unit} ${JSON.stringify(r.settings ?? {})}`, r] as const);

describe("the paper's tables", () => {
  it("docs/paper-tables.md is what the code counts", () => {
    const file = new URL("../../docs/paper-tables.md", import.meta.url);
    expect(readFileSync(file, "utf8"), "npm run paper-tables writes it").toBe(paperTables());
  });

  it.each(titled)("%s: within 2.5 % of the paper, or with the reason; and no reason without need", (_, r) => {
    expect(r.reason !== undefined).toBe(differs(r));
  });

  it("most rows agree", () => {
    expect(rows.filter((r) => !differs(r)).length).toBeGreaterThanOrEqual(31);
  });
});

describe("ResNet-50 at full size has the parameters that each rival's own paper publishes", () => {
  const published: readonly [ConvUnitName, UnitSettings, Where, number][] = [
    // Zhang et al. 2020, table 3.
    ["spconv", { alpha: 1 / 2 }, "second", 18.34],
    ["spconv", { alpha: 1 / 4 }, "second", 16.93],
    ["spconv", { alpha: 1 / 8 }, "second", 16.22],
    // Qiu et al. 2020, and the authors' repository.
    ["slimconv", { slimK: 1 }, "second", 18.81],
    ["slimconv", { slimK: 4 / 3 }, "second", 16.76],
    ["slimconv", { slimK: 8 / 3 }, "second", 12.1],
    // Wang, Yu 2021, in the SCConv paper's table 3.
    ["tiedconv", { tiedBlocks: 2 }, "second", 17.07],
    // Ghost-ResNet-50, s = 2: 13.0 M in Han et al. 2020, 13.95 M as Qiu et al. count it.
    ["ghost", { ghostRatio: 2 }, "every", 13.95],
    // Chen et al. 2019: those of ResNet-50.
    ["octconv", { alpha: 1 / 2 }, "every", 25.56],
  ];
  it.each(published)("%s %j %s: %d M", (unit, settings, where, millions) => {
    const graph = architecture("resnet50")({ unit: convUnit(unit, settings), where, init: "zeros" });
    const { parameters } = countNetwork(graph);
    expect(Math.abs(parameters / 1e6 / millions - 1)).toBeLessThan(0.001);
    const trained = [...trainableParts(graph).parameters.values()].reduce((sum, t) => sum + t.size, 0);
    expect(parameters).toBe(trained);
  });
});

describe("a ResNet-50 in octaves", () => {
  it("has ResNet-50's weights and the 2.4 G of its paper", () => {
    const octave = countTable3().find((r) => r.unit === "octave network")!;
    expect(octave.count.parameters).toBe(25_557_032);
    expect(Math.abs(octave.macs / 2.4e9 - 1)).toBeLessThan(0.01);
  });
});
