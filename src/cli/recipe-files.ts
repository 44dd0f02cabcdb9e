import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import { parseNormalize } from "../data/normalize.js";
import { fileError } from "../host/node/file-errors.js";
import type { Recipe } from "../train/recipe.js";
import { oneOf, real, whole } from "./flags.js";
import { checkSetting, settingFlags } from "./recipe-settings.js";

export type RecipeFlags = Partial<Recipe> & { readonly config?: string; readonly recipe?: string };

/** What a recipe file may say about the data, beside the settings of the training. */
export interface RecipeData {
  readonly normalize?: string;
  readonly size?: number;
  readonly crop?: number;
}

const dataSettings: Readonly<Record<keyof RecipeData, (value: unknown) => unknown>> = {
  normalize: (value) => parseNormalize(`${value}`),
  size: (value) => whole("--size")(`${value}`),
  crop: (value) => real("--crop", { min: 0.01, max: 1 })(`${value}`),
};

/** The recipes that come with the package: `recipes/NAME.json`. */
const shipped = new URL("../../recipes/", import.meta.url);

const recipeNames = (): string[] =>
  readdirSync(shipped)
    .filter((f) => f.endsWith(".json"))
    .map((f) => f.slice(0, -".json".length))
    .sort();

/** A flag for every setting, `--recipe` and `--config`. */
export function recipeFlags(command: Command, defaults: Recipe): Command {
  const names = recipeNames();
  return settingFlags(command, defaults)
    .option("--recipe <name>", `settings by name: ${names.join(", ")}`, oneOf("--recipe", names))
    .option("--config <file>", "a JSON file of settings; it wins over --recipe, and flags over both");
}

/** Defaults, then the recipe of `--recipe`, then the file of `--config`, then the flags. Throws `bad-input`, `bad-setting`. */
export async function recipeOf(
  flags: RecipeFlags,
  defaults: Recipe,
): Promise<{ readonly recipe: Recipe; readonly data: RecipeData }> {
  const { recipe: name, config } = flags;
  const files = [
    ...(name === undefined ? [] : [fileURLToPath(new URL(`${name}.json`, shipped))]),
    ...(config === undefined ? [] : [config]),
  ];
  const given: Record<string, unknown> = {};
  for (const file of files) Object.assign(given, await readSettings(file, defaults));
  const data: Record<string, unknown> = {};
  for (const key of Object.keys(dataSettings)) {
    if (Object.hasOwn(given, key)) data[key] = given[key];
    delete given[key];
  }
  for (const key of Object.keys(defaults)) {
    const value = flags[key as keyof Recipe];
    if (value !== undefined) given[key] = value;
  }
  const recipe = { ...defaults, ...given };
  checkRecipe(recipe);
  return { recipe, data };
}

/** Settings that do not go together. */
function checkRecipe({ schedule, milestones, epochs, batch, accumulate, jitter }: Recipe): void {
  if (jitter.length > 4 || (jitter[3] ?? 0) > 0.5) {
    throw new ScconvError("bad-setting", "no such jitter", {
      where: "--jitter",
      got: jitter.join(),
      need: "up to four numbers: brightness, contrast, saturation, and a hue of at most 0.5",
    });
  }
  if (batch % accumulate !== 0 || batch / accumulate < 2) {
    throw new ScconvError("bad-setting", "the batch cannot be cut so", {
      where: "--accumulate",
      got: `${batch} images into ${accumulate}`,
      need: "a divisor of --batch that leaves 2 images or more",
    });
  }
  const beyond = milestones.find((m) => m >= 1 && m >= epochs);
  if (schedule === "steps" && beyond !== undefined) {
    throw new ScconvError("bad-setting", "a milestone is never reached", {
      where: "--milestones",
      got: `epoch ${beyond} of ${epochs}`,
      hint: "shares of the run (0.5,0.75) move along with --epochs",
    });
  }
}

/** `about` is for its reader. */
async function readSettings(path: string, defaults: Recipe): Promise<Record<string, unknown>> {
  const text = await readFile(path, "utf8").catch((cause) => {
    throw fileError("cannot read the settings", path, cause);
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new ScconvError("bad-input", "not JSON", { where: path, cause });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new ScconvError("bad-input", "not a JSON object of settings", { where: path });
  }
  const { about: _, ...settings } = parsed as Record<string, unknown>;
  for (const [key, value] of Object.entries(settings)) {
    if (Object.hasOwn(dataSettings, key)) dataSettings[key as keyof RecipeData](value);
    else checkSetting(key, value, { defaults, where: path });
  }
  return settings;
}
