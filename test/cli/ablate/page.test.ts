import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { csv } from "../../../src/cli/ablate/csv.js";
import type { GridFacts } from "../../../src/cli/ablate/facts.js";
import { figure } from "../../../src/cli/ablate/figure.js";
import { page } from "../../../src/cli/ablate/page.js";
import type { Plan, PlannedCell, PlannedRun } from "../../../src/cli/ablate/plan.js";
import type { RunRecord } from "../../../src/cli/ablate/record.js";
import { summarise } from "../../../src/cli/ablate/summary.js";
import type { EpochMetrics } from "../../../src/train/checkpoint.js";
import { trainRecipe } from "../../../src/train/recipe.js";

const labels = ["standard", 'odd | "x" {y}, <b>&', "S+C"];
const cells = labels.map((label, i) => {
  const config = { architecture: "resnet8", layers: "second", recipe: { ...trainRecipe, epochs: 2 } };
  const flags = { conv: i === 0 ? "standard" : "scconv" };
  return {
    label,
    flags,
    paper: 78 + i,
    config,
    cost: { parameters: 1e5, macs: 2e6 - 1e5 * i },
    adapted: [],
  } as unknown as PlannedCell;
});
const runsOf = (seeds: readonly number[]): PlannedRun[] =>
  seeds.flatMap((seed) => cells.map((cell) => ({ cell, seed, config: cell.config, folder: "" })));

const facts = (seeds: readonly number[], chart: "rows" | "macs" = "rows"): GridFacts => ({
  grid: { name: "g", title: "A grid", chart },
  paper: { title: "Table 1", top1: { standard: 78, "S+C": 80 } },
  ...{
    reference: "standard",
    architecture: "resnet8",
    seeds,
    recipe: cells[0]!.config.recipe,
    layers: "second",
  },
  data: {
    ...{ source: "cifar", trainImages: 5000, evaluationImages: 1000, classes: 10, normalize: "none" },
    shape: [3, 32, 32],
  },
  command: "scconv ablate g.json",
});

const record = (top1s: readonly number[], more: Partial<RunRecord> = {}): RunRecord => ({
  history: top1s.map(
    (top1, i) => ({ epoch: i + 1, top1, top5: 90, loss: 1.5, trainLoss: 1.25 }) as EpochMetrics,
  ),
  ...{ seconds: 10, threads: 1, software: { scconv: "1", runtime: "ort 2", node: "v3" } },
  ...more,
});

/** Cell i of seed s ends with 70 + i + s; its first epoch was better by 5 where it is the first cell. */
const planOf = (seeds: readonly number[], refused: Plan["refused"] = []): Plan => ({
  cells,
  refused,
  runs: runsOf(seeds),
});
const all = (plan: Plan) =>
  new Map(
    plan.runs.map((run) => {
      const end = 70 + cells.indexOf(run.cell) + run.seed;
      return [run, record([run.cell === cells[0] ? end + 5 : end - 5, end])];
    }),
  );

describe("page", () => {
  it("has means, intervals, paired differences and what the paper says", () => {
    const plan = planOf([0, 1, 2]);
    const text = page(summarise(plan, all(plan)), facts([0, 1, 2]));
    const rows = text.split("\n").filter((l) => l.startsWith("| "));
    expect(rows[0]).toBe(
      "| cell | parameters | MACs | top-1, last epoch | top-1, best epoch | against standard | paper (Table 1) |",
    );
    expect(rows[2]).toBe("| standard | 100 k | 2.00 M | 71.00 ± 2.48 | 76.00 ± 2.48 |  | 78.00 |");
    // The seeds move both alike: the difference is sure where the means are not.
    expect(rows[4]).toBe("| S+C | 100 k | 1.80 M | 73.00 ± 2.48 | 73.00 ± 2.48 | +2.00 ± 0.00 | 80.00 |");
    expect(text).toContain("- 3 seeds: 0, 1, 2.\n- 2 epochs of 5,000 training images, evaluated on 1,000.");
    expect(text).toContain("scconv 1, ort 2, Node v3; threads: 1");
    expect(text).toContain("```sh\nscconv ablate g.json\n```");
    expect(text).not.toContain("Not finished");
  });

  it("says that there is one seed", () => {
    const plan = planOf([7]);
    const text = page(summarise(plan, all(plan)), facts([7]));
    expect(text).toContain(
      "| S+C | 100 k | 1.80 M | 79.00 (one seed) | 79.00 (one seed) | +2.00 (one seed) | 80.00 |",
    );
    expect(text).toContain("one seed: no interval");
    expect(text).not.toContain("±");
  });

  it("says what is missing: unfinished, diverged and refused", () => {
    const plan = planOf([0, 1], [{ label: "α = 1/8", reason: "CRU: does not fit | 3" }]);
    const records = all(plan);
    records.delete(plan.runs[5]!);
    records.set(plan.runs[4]!, record([], { diverged: "loss is NaN" }));
    const summary = summarise(plan, records);
    const text = page(summary, facts([0, 1]));
    expect(text).toContain("**Not finished: 5 of 6 runs are done.**");
    expect(text).toContain("| 71.00 (one seed); 1 diverged |");
    expect(text).toContain("| 72.00 (one seed); 1 of 2 seeds |");
    expect(text).toContain("- α = 1/8: CRU: does not fit \\| 3");
    expect(csv(summary, facts([0, 1]))).toContain(",1,2,5000,1000,100000,1900000,,,,,,,loss is NaN\n");
  });

  it("says what was adapted, where anything was", () => {
    const adapted = ["a", "b"].map((layer) => ({ layer, what: "conv-groups 2 → 1" }));
    const own = [cells[0]!, { ...cells[2]!, adapted }];
    const plan = { cells: own, refused: [], runs: [] };
    const text = page(summarise(plan, new Map()), facts([0]));
    expect(text).toContain("| cell | settings | adapted to the widths |");
    expect(text).toContain("| S+C | `--conv scconv` | conv-groups 2 → 1 in 2 layers |");
    expect(page(summarise(planOf([0]), new Map()), facts([0]))).not.toContain("adapted");
  });

  it("labels are data", () => {
    const plan = planOf([0]);
    const summary = summarise(plan, all(plan));
    expect(page(summary, facts([0]))).toContain('| odd \\| "x" {y}, <b>& |');
    const [, , second] = csv(summary, facts([0])).split("\n");
    expect(second).toBe(
      '"odd | ""x"" {y}, <b>&",--conv scconv,0,2,5000,1000,100000,1900000,71,90,1.5,1.25,71,2,',
    );
  });
});

describe("figure", () => {
  it.each(["rows", "macs"] as const)("%s: an SVG that renders, and the same one again", async (chart) => {
    const plan = planOf([0, 1, 2]);
    const summary = summarise(plan, all(plan));
    const svg = figure(summary, facts([0, 1, 2], chart))!;
    expect(figure(summary, facts([0, 1, 2], chart))).toBe(svg);
    for (const text of ["A grid", "standard", "S+C", "3 seeds", "&lt;b&gt;&amp;"])
      expect(svg).toContain(text);
    const { data, info } = await sharp(Buffer.from(svg)).raw().toBuffer({ resolveWithObject: true });
    expect(info.width).toBe(800);
    // Something is drawn in the marks' own colour.
    let marks = 0;
    for (let i = 0; i < data.length; i += info.channels)
      if (data[i] === 0x0b && data[i + 1] === 0x6e && data[i + 2] === 0x78) marks++;
    expect(marks).toBeGreaterThan(200);
  });

  it("is not drawn of nothing", () => {
    expect(figure(summarise(planOf([0]), new Map()), facts([0]))).toBeUndefined();
  });
});
