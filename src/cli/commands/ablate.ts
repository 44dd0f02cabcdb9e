import { join } from "node:path";
import { printable, ScconvError } from "../../base/errors.js";
import { formatSeconds } from "../../base/format.js";
import type { DataSet } from "../../data/data-set.js";
import { checkWritableFolder, makeFolder, writeFileWhole } from "../../host/node/files.js";
import { folderStore } from "../../host/node/run-store.js";
import { claimGrid } from "../ablate/claim.js";
import { csv } from "../ablate/csv.js";
import { factsOf, type GridFacts } from "../ablate/facts.js";
import { figure } from "../ablate/figure.js";
import { grids } from "../ablate/grids.js";
import { page, tableOf } from "../ablate/page.js";
import { configsOf, planGrid } from "../ablate/plan.js";
import { readGrid } from "../ablate/read-grid.js";
import { type Records, runGrid } from "../ablate/run-grid.js";
import { type Summary, summarise } from "../ablate/summary.js";
import { command, type Outcome } from "../command.js";
import { commandLine } from "../command-line.js";
import { firstSeeds, seedList } from "../flags.js";
import { type RunFlags, runFlags } from "../run-flags.js";
import { table } from "../table.js";
import { dataOf } from "../train-run.js";

interface Options extends RunFlags {
  readonly out: string;
  readonly arch?: string;
  readonly seeds?: ReturnType<ReturnType<typeof seedList>>;
}

export default command<[string], Options>({
  configure(c) {
    c.argument("<grid>", `${Object.keys(grids).join(", ")}, or a file GRID.json`)
      .requiredOption(
        "--out <folder>",
        "tables, figure and a folder for each run; the same command again goes on",
      )
      .option("--arch <name>", "architecture, where a cell names no other (default: resnet20)")
      .option("--seeds <list>", "seeds 0,1,2, or how many, from --seed on (default: 3)", seedList("--seeds"));
    runFlags(c);
  },

  async run([spec], options, context) {
    const { out: folder, arch = "resnet20", seeds: seedsFrom = firstSeeds(3), saveEvery, ...flags } = options;
    if (flags.data === undefined) throw new ScconvError("usage", "no data", { need: "--data DATA" });
    const grid = await readGrid(spec);
    const seeds = seedsFrom(context.seed);
    await checkWritableFolder(folder);
    const shared = { architecture: arch, flags, seeds, folder, warn: context.warn };
    const configs = await configsOf(grid, shared);
    const [config] = configs.values();
    const data = await dataOf(config!, context);
    try {
      checkSplits(data);
      const plan = planGrid(configs, data, shared);
      const facts = factsOf(grid, config!, data, { seeds, command: commandLine(context.argv) });
      for (const { label, reason } of plan.refused) context.warn(`${label} is not run: ${reason}`);
      await makeFolder(folder);
      await claimGrid(folderStore(folder), facts, folder);
      const onRun = (done: Records) => writeTables(folder, summarise(plan, done), facts);
      const records = await runGrid(plan, data, { saveEvery, onRun }, context);
      // Also where all was done before: the command may ask for other seeds than the tables have.
      await onRun(records);
      return outcomeOf(summarise(plan, records), facts, { folder, records });
    } finally {
      await data.close();
    }
  },
});

function checkSplits({ train, test, source }: DataSet): void {
  if (train && test) return;
  throw new ScconvError("bad-input", `the data has no ${train ? "evaluation" : "training"} split`, {
    where: source,
  });
}

async function writeTables(folder: string, summary: Summary, facts: GridFacts): Promise<void> {
  const drawn = figure(summary, facts);
  const files = {
    "ablation.csv": csv(summary, facts),
    "ablation.svg": drawn,
    "ablation.md": page(summary, facts),
  };
  for (const [name, contents] of Object.entries(files)) {
    if (contents !== undefined) await writeFileWhole(join(folder, name), contents, { force: true });
  }
}

function outcomeOf(
  summary: Summary,
  facts: GridFacts,
  { folder, records }: { folder: string; records: Records },
): Outcome {
  const seconds = [...records.values()].reduce((sum, r) => sum + r.seconds, 0);
  const { titles, rows } = tableOf(summary, facts);
  const columns = titles.map((title, i) => ({
    title,
    align: i === 0 ? ("left" as const) : ("right" as const),
  }));
  return {
    document: { ...facts, ...summary, seconds, out: folder },
    text: () =>
      [
        table(columns, rows),
        ...summary.refused.map(({ label, reason }) => printable(`${label}: not run, ${reason}`)),
        "",
        `${summary.done} runs, ${formatSeconds(seconds)} of training`,
        `${printable(join(folder, "ablation.md"))} says what stands behind it; ablation.csv and ablation.svg beside it`,
      ].join("\n"),
  };
}
