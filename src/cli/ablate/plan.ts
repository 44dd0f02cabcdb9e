import { join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import type { DataSet } from "../../data/data-set.js";
import { folderStore } from "../../host/node/run-store.js";
import { type ConvUnitName, convUnits } from "../../nn/units.js";
import { CONFIG_FILE, type RunConfig, readConfig } from "../run-config.js";
import { type RunFlags, runConfigOf } from "../run-flags.js";
import { costOfRun, networkOf, type RunResult } from "../train-run.js";
import { givenSettings } from "../unit-flags.js";
import { readCellFlags } from "./cell.js";
import type { Cell, Grid } from "./grid.js";
import { type RunRecord, readRecord } from "./record.js";

export interface PlannedRun {
  readonly cell: PlannedCell;
  readonly seed: number;
  readonly config: RunConfig;
  readonly folder: string;
}

export interface PlannedCell extends Cell {
  /** Settings of its runs, with the first seed. */
  readonly config: RunConfig;
  readonly cost: RunResult["cost"];
  /** Layers whose group counts were adapted, and how. */
  readonly adapted: readonly Adapted[];
}

export interface Adapted {
  readonly layer: string;
  /** `conv-groups 2 → 1`. */
  readonly what: string;
}

export interface Plan {
  readonly cells: readonly PlannedCell[];
  /** Cells whose network cannot be built, and why. */
  readonly refused: readonly { readonly label: string; readonly reason: string }[];
  /** All cells of a seed before the next seed, so that the whole table is there early. */
  readonly runs: readonly PlannedRun[];
}

export interface PlanOptions {
  readonly architecture: string;
  /** What was given for all cells. */
  readonly flags: RunFlags;
  readonly seeds: readonly number[];
  readonly folder: string;
  warn(text: string): void;
}

/** Settings of every cell; throws `usage` or `bad-input` for what no network could take. */
export async function configsOf(grid: Grid, options: PlanOptions): Promise<Map<Cell, RunConfig>> {
  const { architecture, flags, seeds } = options;
  checkLabels(grid);
  // What there is to warn about is the same for all cells.
  const said = new Set<string>();
  const warn = (text: string) => {
    if (!said.has(text)) options.warn(text);
    said.add(text);
  };
  const configs = new Map<Cell, RunConfig>();
  const taken = new Set<string>();
  for (const cell of grid.cells) {
    const where = `cell "${cell.label}"`;
    const { architecture: own = architecture, ...set } = readCellFlags(cell.flags, where);
    const { conv = flags.conv ?? "standard" } = set;
    for (const key of Object.keys(convUnits[conv].defaults)) taken.add(key);
    try {
      const all = { ...forUnit(conv, flags), ...set };
      configs.set(cell, await runConfigOf(own, all, { seed: seeds[0]!, warn }));
    } catch (cause) {
      if (!(cause instanceof ScconvError)) throw cause;
      throw new ScconvError(cause.code, cause.message, { where, cause });
    }
  }
  const idle = Object.keys(givenSettings(flags)).find((key) => !taken.has(key));
  if (idle !== undefined) {
    throw new ScconvError("usage", "no cell has a unit with this setting", { where: grid.name, got: idle });
  }
  checkImages(configs);
  return configs;
}

/** What was given for all cells, without the settings that this cell's unit does not have. */
function forUnit(conv: ConvUnitName, flags: RunFlags): RunFlags {
  const own = convUnits[conv].defaults;
  const others = Object.keys(givenSettings(flags)).filter((key) => !Object.hasOwn(own, key));
  if (conv !== "scconv") others.push("adapt");
  return Object.fromEntries(Object.entries(flags).filter(([key]) => !others.includes(key)));
}

/** A recipe may prescribe how images are read, and they are read once, for all cells. */
function checkImages(configs: ReadonlyMap<Cell, RunConfig>): void {
  const [[first, config]] = [...configs] as [[Cell, RunConfig]];
  for (const [cell, other] of configs) {
    for (const key of ["size", "crop"] as const) {
      if (other[key] === config[key]) continue;
      throw new ScconvError("bad-input", "all cells see the same images", {
        got: `${key} ${shown(config[key])} in "${first.label}", ${shown(other[key])} in "${cell.label}"`,
        hint: `give --${key}`,
      });
    }
  }
}

/** Builds each cell's network, so that what does not fit is known before any work. Throws where nothing fits. */
export function planGrid(
  configs: ReadonlyMap<Cell, RunConfig>,
  data: DataSet,
  { seeds, folder }: Pick<PlanOptions, "seeds" | "folder">,
): Plan {
  const cells: PlannedCell[] = [];
  const refused: { label: string; reason: string }[] = [];
  for (const [cell, config] of configs) {
    try {
      const adapted: Adapted[] = [];
      const network = networkOf(config, data, (layer, what) => adapted.push({ layer, what }));
      cells.push({ ...cell, config, cost: costOfRun(network), adapted });
    } catch (error) {
      if (!(error instanceof ScconvError) || error.code === "usage") throw error;
      const may = config.conv === "scconv" && !config.adapt && /groups/.test(error.message);
      refused.push({ label: cell.label, reason: `${error.message}${may ? " (--adapt adapts groups)" : ""}` });
    }
  }
  if (cells.length === 0) {
    throw new ScconvError("bad-setting", "no cell of the grid fits this network", {
      got: refused[0]?.reason,
    });
  }
  const runs = seeds.flatMap((seed) =>
    cells.map((cell) => ({
      ...{ cell, seed, config: { ...cell.config, seed } },
      folder: join(folder, "runs", `${slugOf(cell.label)}-seed${seed}`),
    })),
  );
  return { cells, refused, runs };
}

/** What is there of a run: its record when it is over, and whether it was begun. */
export async function stateOf(run: PlannedRun): Promise<{ record?: RunRecord; begun: boolean }> {
  const store = folderStore(run.folder);
  if (!(await store.read(CONFIG_FILE))) return { begun: false };
  const before = await readConfig(store, run.folder);
  const changed = difference(before, run.config);
  if (changed) {
    throw new ScconvError("bad-setting", "the run there had another setting", {
      where: run.folder,
      need: `${changed.path} ${changed.before}`,
      got: changed.after,
      hint: "the same settings go on with it, another --out starts anew",
    });
  }
  const record = await readRecord(store, run.folder);
  return { begun: true, ...(record ? { record } : {}) };
}

/** The first setting in which two runs differ; a newer scconv and another place of the data are no other settings. */
export function difference(
  before: object,
  after: object,
  ignore: readonly string[] = ["scconv", "data"],
): { path: string; before: string; after: string } | undefined {
  const [a, b] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    if (ignore.includes(key)) continue;
    const [x, y] = [a.get(key), b.get(key)];
    if (typeof x === "object" && typeof y === "object" && x !== null && y !== null) {
      const inner = difference(x, y, []);
      if (inner) return { ...inner, path: `${key}.${inner.path}` };
    } else if (x !== y) return { path: key, before: shown(x), after: shown(y) };
  }
  return undefined;
}

const shown = (value: unknown): string => (value === undefined ? "not set" : JSON.stringify(value));

/** A name for a folder on every system. */
const slugOf = (label: string): string =>
  label
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("α", "alpha")
    .replace(/[^a-z0-9.]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "") || "cell";

function checkLabels({ cells }: Grid): void {
  const seen = new Map<string, string>();
  for (const { label } of cells) {
    const slug = slugOf(label);
    const other = seen.get(slug);
    if (other !== undefined) {
      throw new ScconvError("bad-input", "two cells would share a folder", {
        got: other === label ? `"${label}" twice` : `"${other}" and "${label}"`,
        need: "labels that differ in letters or digits",
      });
    }
    seen.set(slug, label);
  }
}
