import { ScconvError } from "../base/errors.js";
import type { ConvUnitName, UnitSettings } from "../nn/units.js";
import type { RunStore } from "../train/checkpoint.js";
import { completeRecipe, type Recipe } from "../train/recipe.js";
import type { Where } from "../zoo/index.js";
import type { TeacherConfig } from "./teacher.js";
import type { WeightsConfig } from "./weights.js";

/** What a run folder records of itself, so that `--resume` continues the same run. */
export interface RunConfig {
  readonly scconv: string;
  readonly architecture: string;
  readonly conv: ConvUnitName;
  readonly layers: Where;
  /** Of all layers, as a multiple. */
  readonly width?: number;
  readonly unit: UnitSettings;
  /** Group counts of SCConv are adapted to each layer's width. */
  readonly adapt?: boolean;
  readonly data: string;
  readonly normalize: string;
  readonly size?: number;
  readonly limit?: number;
  readonly crop?: number;
  /** Weights that the run began from. */
  readonly weights?: WeightsConfig;
  readonly teacher?: TeacherConfig;
  readonly seed: number;
  readonly recipe: Recipe;
}

export const CONFIG_FILE = "config.json";

export const encodeConfig = (config: RunConfig): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`);

/** Throws `not-found` where `folder` is no run. */
export async function readConfig(store: RunStore, folder: string): Promise<RunConfig> {
  const bytes = await store.read(CONFIG_FILE);
  if (!bytes) {
    throw new ScconvError("not-found", "no run to resume here", {
      where: folder,
      need: `a folder that scconv train --out made, with ${CONFIG_FILE}`,
    });
  }
  try {
    const config = JSON.parse(new TextDecoder().decode(bytes)) as RunConfig;
    if (typeof config.architecture === "string" && typeof config.recipe === "object") {
      return { ...config, recipe: completeRecipe(config.recipe) };
    }
  } catch {
    // Said below: it is not what we wrote.
  }
  throw new ScconvError("bad-input", "not the settings of a run", { where: `${folder}/${CONFIG_FILE}` });
}
