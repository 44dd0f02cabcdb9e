import { describe, expect, it } from "vitest";
import { formatCellFlags, readCellFlags } from "../../../src/cli/ablate/cell.js";
import { type Grid, paperColumn } from "../../../src/cli/ablate/grid.js";
import { grids } from "../../../src/cli/ablate/grids.js";
import { configsOf, difference } from "../../../src/cli/ablate/plan.js";
import { gridOf, readGrid } from "../../../src/cli/ablate/read-grid.js";
import { architectures } from "../../../src/zoo/index.js";

const plan = { architecture: "resnet8", flags: { data: "d" }, seeds: [4], folder: "f", warn: () => {} };

describe("the paper's grids", () => {
  it.each(Object.entries(grids) as [string, Grid][])(
    "%s: every cell has settings of its own",
    async (name, grid) => {
      expect(grid.name).toBe(name);
      const configs = [...(await configsOf(grid, plan)).values()];
      expect(configs).toHaveLength(grid.cells.length);
      expect(new Set(configs.map((c) => JSON.stringify(c))).size).toBe(configs.length);
      for (const c of configs) expect(c).toMatchObject({ architecture: "resnet8", data: "d", seed: 4 });
    },
  );
});

describe("what is given for all cells", () => {
  it("reaches the cells whose unit has it", async () => {
    const flags = { data: "d", gate: "soft", epochs: 3 } as const;
    const configs = await configsOf(grids.rivals, { ...plan, flags });
    const units = [...configs].map(([{ label }, { unit, recipe }]) => [label, unit, recipe.epochs]);
    expect(units).toContainEqual(["standard", {}, 3]);
    expect(units).toContainEqual(["Ghost", { ghostRatio: 2 }, 3]);
    expect(units).toContainEqual(["SCConv", { gate: "soft" }, 3]);
  });

  it("is refused where no unit has it", async () => {
    const flags = { data: "d", tiedBlocks: 4 };
    await expect(configsOf(grids.order, { ...plan, flags })).rejects.toThrow(
      "order: no cell has a unit with this setting, got tiedBlocks",
    );
  });
});

describe("the paper's column", () => {
  it("is the network's and the classes' where there is one, else the first", () => {
    expect(paperColumn(grids.rivals, "resnet50-cifar", 100)).toMatchObject({
      title: "Table 2: ResNet-50, CIFAR-100",
      top1: { standard: 78.6, SCConv: 79.89 },
    });
    expect(paperColumn(grids.rivals, "resnet20", 10)?.title).toBe("Table 2: ResNet-56, CIFAR-10");
    expect(paperColumn(grids.rivals, "wrn-28-10", 10)?.top1).not.toHaveProperty("OctConv");
    expect(paperColumn(grids.gate, "resnet20", 10)).toBeUndefined();
  });

  it.each(Object.entries(grids) as [string, Grid][])(
    "%s: has figures of cells only",
    (_, { cells, paper = [] }) => {
      const labels = cells.map((c) => c.label);
      for (const { top1 } of paper) for (const label of Object.keys(top1)) expect(labels).toContain(label);
      for (const { architecture } of paper)
        if (architecture) expect(Object.keys(architectures)).toContain(architecture);
    },
  );
});

describe("a cell", () => {
  it("has train's flags, and wins over what is given for all", async () => {
    const grid: Grid = {
      ...{ name: "g", title: "g", chart: "rows" },
      cells: [
        {
          label: "a",
          flags: { conv: "scconv", gate: "soft", flip: false, epochs: 3, architecture: "resnet20" },
        },
      ],
    };
    const flags = { data: "d", gate: "hard", groups: 2, epochs: 7, batch: 16 } as const;
    const [config] = (await configsOf(grid, { ...plan, flags })).values();
    expect(config).toMatchObject({
      ...{ architecture: "resnet20", conv: "scconv", unit: { gate: "soft", groups: 2 } },
      recipe: { epochs: 3, batch: 16, flip: false },
    });
  });

  it("is shown as train would be given it", () => {
    const flags = { architecture: "resnet20", conv: "scconv", convGroups: 2, flip: false };
    expect(formatCellFlags(flags)).toBe("resnet20 --conv scconv --conv-groups 2 --no-flip");
    expect(readCellFlags(flags, "here")).toEqual(flags);
  });

  it("shares its folder with no other", async () => {
    const cells = ["a b", "A-b"].map((label) => ({ label, flags: { conv: "scconv" } }));
    const grid: Grid = { name: "g", title: "g", chart: "rows", cells };
    await expect(configsOf(grid, plan)).rejects.toThrow(
      'two cells would share a folder, need labels that differ in letters or digits, got "a b" and "A-b"',
    );
  });
});

describe("a grid's file", () => {
  const cell = (more: object) => ({ cells: [{ label: "x", ...more }] });

  it("is read", () => {
    const cells = [
      { label: "a", conv: "standard", paper: 78.6 },
      { label: "b", conv: "scconv", alpha: 0.25 },
    ];
    expect(gridOf({ cells, title: "T" }, "dir/mine.json")).toEqual({
      ...{ name: "mine", title: "T", chart: "rows" },
      paper: [{ title: "top-1", top1: { a: 78.6 } }],
      cells: [
        { label: "a", flags: { conv: "standard" } },
        { label: "b", flags: { conv: "scconv", alpha: 0.25 } },
      ],
    });
  });

  it.each([
    [[], 'g.json: not a grid, need an object with "cells"'],
    [{}, 'g.json: no cells, need a list "cells" with one at least'],
    [{ cells: [], name: "n" }, "g.json: no cells"],
    [{ cells: [1] }, "g.json, cell 1: not a cell"],
    [{ cells: [{ conv: "scconv" }] }, "g.json, cell 1: no label"],
    [{ cell: [] }, 'g.json: no field of a grid is called "cell"'],
    [{ name: 3, cells: [{ label: "x" }] }, "g.json: name is no text"],
    [{ chart: "pie", cells: [{ label: "x" }] }, "g.json: no such chart"],
    [cell({ paper: "78" }), "g.json, cell 1: paper is no number"],
    [cell({ unit: {} }), "g.json, cell 1: setting unit is no text, number, true or false"],
    [cell({ conf: "scconv" }), 'g.json, cell 1 "x": no setting is called "conf" (did you mean conv?)'],
    [cell({ conv: "scconf" }), 'g.json, cell 1 "x": --conv: not a possible value'],
    [
      cell({ alpha: 2 }),
      'g.json, cell 1 "x": --alpha: not a possible value, need a number between 0 and 1, got "2"',
    ],
    [cell({ alpha: true }), "g.json, cell 1 \"x\": option '--alpha <share>' argument missing"],
    [cell({ conv: false }), "g.json, cell 1 \"x\": unknown option '--no-conv'"],
    [cell({ limit: 10 }), "g.json, cell 1 \"x\": limit is the whole grid's, not a cell's (give --limit)"],
    [cell({ __proto__: null, toString: "x" }), 'no setting is called "toString"'],
  ])("refuses %j", (parsed, message) => {
    expect(() => gridOf(parsed, "g.json")).toThrow(message);
  });

  it("is named where it is no grid's name", async () => {
    await expect(readGrid("ordre")).rejects.toThrow(
      'no grid is called "ordre", need order, alpha, gate, rivals',
    );
    await expect(readGrid("/nowhere/grid.json")).rejects.toThrow("/nowhere/grid.json");
  });
});

describe("difference", () => {
  it.each([
    [{ a: 1, r: { b: 2 } }, { r: { b: 2 }, a: 1 }, undefined],
    [{ r: { b: 2, c: 1 } }, { r: { b: 3, c: 1 } }, { path: "r.b", before: "2", after: "3" }],
    [{ a: 1 }, { a: 1, size: 8 }, { path: "size", before: "not set", after: "8" }],
    [{ u: { g: "soft" } }, { u: {} }, { path: "u.g", before: '"soft"', after: "not set" }],
    [{ scconv: "1", data: "x" }, { scconv: "2", data: "y" }, undefined],
    [{ u: { data: "x" } }, { u: { data: "y" } }, { path: "u.data", before: '"x"', after: '"y"' }],
  ])("%j and %j", (a, b, expected) => expect(difference(a, b)).toEqual(expected));
});
