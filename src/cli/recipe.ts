import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { distance } from "fastest-levenshtein";
import { ScconvError } from "../base/errors.js";
import type { Augment } from "../data/data-set.js";
import { fileError } from "../host/node/file-errors.js";
import { adamw, type Optimizer, sgd } from "../train/optimizer.js";
import { cosine, type Schedule, steps } from "../train/schedule.js";
import { oneOf, real, whole } from "./flags.js";

/** How a network is trained: what `--config` holds, what the flags set, and what a run's config.json records. */
export interface Recipe {
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly optimizer: "sgd" | "adamw";
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: "cosine" | "steps";
  /** Steps. */
  readonly warmup: number;
  readonly labelSmoothing: number;
  /** Pixels of border to crop from; 0: none. */
  readonly pad: number;
  readonly flip: boolean;
}

/** He et al. 2016 for CIFAR, with Nesterov momentum, a cosine and the field's usual weight decay. */
export const trainRecipe: Recipe = {
  epochs: 100,
  batch: 128,
  lr: 0.1,
  optimizer: "sgd",
  momentum: 0.9,
  weightDecay: 5e-4,
  schedule: "cosine",
  warmup: 100,
  labelSmoothing: 0,
  pad: 4,
  flip: true,
};

export type RecipeFlags = Partial<Recipe> & { readonly config?: string };

type NumberOrWord = Exclude<keyof Recipe, "flip">;

/** One row for each setting: its flag, what it is, and how its value is read, from a flag or from a file. */
const rows: Readonly<
  Record<NumberOrWord, readonly [flag: string, about: string, read: (text: string) => unknown]>
> = {
  epochs: ["--epochs <n>", "passes over the training images", whole("--epochs")],
  batch: ["--batch <n>", "images in a step", whole("--batch", 2)],
  lr: ["--lr <rate>", "highest learning rate", real("--lr", { min: 0, open: true })],
  optimizer: ["--optimizer <name>", "sgd or adamw", oneOf("--optimizer", ["sgd", "adamw"])],
  momentum: ["--momentum <m>", "of sgd", real("--momentum", { min: 0, max: 0.9999 })],
  weightDecay: ["--weight-decay <d>", "not on norms and biases", real("--weight-decay", { min: 0 })],
  schedule: ["--schedule <name>", "cosine or steps", oneOf("--schedule", ["cosine", "steps"])],
  warmup: ["--warmup <steps>", "steps of linear warm-up", whole("--warmup", 0)],
  labelSmoothing: [
    "--label-smoothing <s>",
    "share of the target for all classes",
    real("--label-smoothing", { min: 0, max: 0.9999 }),
  ],
  pad: ["--pad <n>", "pixels of border to crop from", whole("--pad", 0)],
};

/** Flags without defaults of their own: what is not given comes from `--config`, then from `defaults`. */
export const recipeFlags = (command: Command, defaults: Recipe): Command => {
  for (const [key, [flag, about, read]] of Object.entries(rows)) {
    command.option(flag, `${about} (default: ${defaults[key as NumberOrWord]})`, read);
  }
  return command
    .option("--flip", `mirror half of the images (default: ${defaults.flip ? "yes" : "no"})`)
    .option("--no-flip", "do not mirror them")
    .option("--config <file>", "a JSON file of these settings; flags win over it");
};

/** Defaults, then the file of `--config`, then the flags. */
export async function recipeOf(flags: RecipeFlags, defaults: Recipe): Promise<Recipe> {
  const file = flags.config === undefined ? {} : await readConfig(flags.config, defaults);
  const recipe: Record<string, unknown> = { ...defaults, ...file };
  for (const key of Object.keys(defaults)) {
    const value = flags[key as keyof Recipe];
    if (value !== undefined) recipe[key] = value;
  }
  return recipe as unknown as Recipe;
}

async function readConfig(path: string, defaults: Recipe): Promise<Partial<Recipe>> {
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
  for (const [key, value] of Object.entries(parsed)) checkSetting(key, value, { defaults, where: path });
  return parsed;
}

function checkSetting(
  key: string,
  value: unknown,
  { defaults, where }: { defaults: Recipe; where: string },
): void {
  if (!Object.hasOwn(defaults, key)) {
    const near = Object.keys(defaults).toSorted((a, b) => distance(a, key) - distance(b, key))[0];
    throw new ScconvError("bad-input", `no setting is called "${key}"`, {
      where,
      hint: `did you mean ${near}?`,
    });
  }
  const wanted = typeof defaults[key as keyof Recipe];
  if (typeof value !== wanted) {
    throw new ScconvError("bad-input", `setting ${key} is no ${wanted}`, {
      where,
      got: JSON.stringify(value),
    });
  }
  if (key !== "flip") rows[key as NumberOrWord][2](`${value}`);
}

export const optimizerOf = ({ optimizer, momentum, weightDecay }: Recipe): Optimizer =>
  optimizer === "sgd" ? sgd({ momentum, weightDecay }) : adamw({ weightDecay });

export const scheduleOf = ({ schedule, lr, warmup }: Recipe): Schedule =>
  schedule === "cosine" ? cosine(lr, { warmup }) : steps(lr, { warmup });

export const augmentOf = ({ pad, flip }: Recipe): Augment | undefined =>
  pad > 0 || flip ? { pad, flip } : undefined;
