import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import { normalizations, parseNormalize } from "../data/normalize.js";
import { type ConvUnitName, convUnits } from "../nn/units.js";
import { architecture } from "../zoo/index.js";
import type { CommandContext } from "./command.js";
import { dataFlags } from "./data-flags.js";
import { oneOf, real } from "./flags.js";
import { trainRecipe } from "./recipe.js";
import { type RecipeFlags, recipeFlags, recipeOf } from "./recipe-files.js";
import type { RunConfig } from "./run-config.js";
import { type UnitOptions, unitFlags, unitSettings } from "./unit-flags.js";
import { version } from "./version.js";

/** What decides a run: the flags that `train` and `ablate` share. A flag is added here, and to `RunConfig`. */
export interface RunFlags extends UnitOptions, RecipeFlags {
  readonly data?: string;
  readonly normalize?: string;
  readonly size?: number;
  readonly limit?: number;
  readonly conv?: ConvUnitName;
  readonly layers?: "second" | "all";
  readonly saveEvery?: number;
}

const units = Object.keys(convUnits) as ConvUnitName[];

export function runFlags(c: Command): Command {
  c.option(
    "--conv <unit>",
    `in the blocks: ${units.join(" or ")} (default: standard)`,
    oneOf("--conv", units),
  )
    .option(
      "--layers <which>",
      "the unit stands for the second k×k convolution of each block, or all (default: second)",
      oneOf("--layers", ["second", "all"] as const),
    )
    .option(
      "--save-every <seconds>",
      "saves within an epoch, too, so often (default: 60)",
      real("--save-every", { min: 0 }),
    );
  dataFlags(c, { required: false });
  return recipeFlags(unitFlags(c), trainRecipe);
}

/** Settings of a new run, from its flags. */
export async function runConfigOf(
  name: string,
  options: RunFlags,
  context: Pick<CommandContext, "seed" | "warn">,
): Promise<RunConfig> {
  const { data, limit, conv = "standard", layers = "second" } = options;
  architecture(name);
  if (data === undefined) throw new ScconvError("usage", "no data", { need: "--data DATA" });
  const { recipe, data: prescribed } = await recipeOf(options, trainRecipe);
  const { normalize, size } = { ...prescribed, ...options };
  if (normalize === undefined) {
    context.warn("images are fed as 0 … 1; --normalize NAME or MEAN/STD centres them, which trains better");
  }
  return {
    ...{ scconv: version, architecture: name, conv, layers, unit: unitSettings(options), data },
    normalize: (normalize === undefined ? normalizations.none : parseNormalize(normalize)).name,
    ...(size === undefined ? {} : { size }),
    ...(limit === undefined ? {} : { limit }),
    seed: context.seed,
    recipe,
  };
}
