import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import { normalizations, parseNormalize } from "../data/normalize.js";
import { trainRecipe } from "../train/recipe.js";
import { architecture } from "../zoo/index.js";
import type { CommandContext } from "./command.js";
import { dataFlags } from "./data-flags.js";
import { real } from "./flags.js";
import { type NetworkFlags, networkFlags } from "./network-flags.js";
import { type RecipeFlags, recipeFlags, recipeOf } from "./recipe-files.js";
import type { RunConfig } from "./run-config.js";
import { type TeacherFlags, teacherConfigOf, teacherFlags } from "./teacher.js";
import { settingsOf } from "./unit-flags.js";
import { version } from "./version.js";
import { type WeightsFlags, weightsConfigOf, weightsFlags } from "./weights.js";

/** What decides a run: the flags that `train` and `ablate` share. A flag is added here, and to `RunConfig`. */
export interface RunFlags extends NetworkFlags, RecipeFlags, TeacherFlags, WeightsFlags {
  readonly data?: string;
  readonly normalize?: string;
  readonly size?: number;
  readonly limit?: number;
  readonly crop?: number;
  readonly adapt?: boolean;
  readonly saveEvery?: number;
}

export function runFlags(c: Command): Command {
  networkFlags(c)
    .option("--adapt", "SCConv's group counts become divisors of each layer's widths, where they are none")
    .option(
      "--save-every <seconds>",
      "saves within an epoch, too, so often (default: 60)",
      real("--save-every", { min: 0 }),
    );
  dataFlags(c, { required: false });
  return weightsFlags(teacherFlags(recipeFlags(c, trainRecipe)));
}

/** Settings of a new run, from its flags. */
export async function runConfigOf(
  name: string,
  options: RunFlags,
  context: Pick<CommandContext, "seed" | "warn">,
): Promise<RunConfig> {
  const { data, limit, conv = "standard", layers = "second", width, adapt } = options;
  architecture(name);
  if (adapt && conv !== "scconv") {
    throw new ScconvError("usage", "--adapt is for SCConv's group counts", { got: `--conv ${conv}` });
  }
  if (data === undefined) throw new ScconvError("usage", "no data", { need: "--data DATA" });
  const { recipe, data: prescribed } = await recipeOf(options, trainRecipe);
  const teacher = teacherConfigOf(options);
  const weights = weightsConfigOf(options);
  const { normalize, size, crop } = { ...prescribed, ...options };
  if (normalize === undefined) {
    context.warn("images are fed as 0 … 1; --normalize NAME or MEAN/STD centres them, which trains better");
  }
  return {
    ...{ scconv: version, architecture: name, conv, layers, unit: settingsOf(conv, options), data },
    normalize: (normalize === undefined ? normalizations.none : parseNormalize(normalize)).name,
    ...(width === undefined ? {} : { width }),
    ...(adapt ? { adapt } : {}),
    ...(size === undefined ? {} : { size }),
    ...(limit === undefined ? {} : { limit }),
    ...(crop === undefined ? {} : { crop }),
    ...(teacher === undefined ? {} : { teacher }),
    ...(weights === undefined ? {} : { weights }),
    seed: context.seed,
    recipe,
  };
}
