import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { ScconvError } from "../../base/errors.js";
import { normalizations, parseNormalize } from "../../data/normalize.js";
import { encodeModel } from "../../graph/codec.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import { checkWritableFolder, makeFolder } from "../../host/node/files.js";
import { nodeEngine } from "../../host/node/ort.js";
import { folderStore } from "../../host/node/run-store.js";
import { scconvDefaults } from "../../nn/scconv.js";
import { type ConvUnitName, convUnits } from "../../nn/units.js";
import { lower } from "../../ops/lower.js";
import { deploy, findUnits } from "../../optimise/index.js";
import { classification } from "../../train/step.js";
import { architecture, architectures } from "../../zoo/index.js";
import { dataFor, NORMALIZE_KEY } from "../classifier.js";
import { type CommandContext, command } from "../command.js";
import { costPerImage, formatDim } from "../cost.js";
import { dataFlags } from "../data-flags.js";
import { oneOf, real } from "../flags.js";
import { formatCount, formatSeconds } from "../format.js";
import { type RecipeFlags, recipeFlags, recipeOf, trainRecipe } from "../recipe.js";
import { CONFIG_FILE, encodeConfig, type RunConfig, readConfig } from "../run-config.js";
import { trainNetwork } from "../training.js";
import { type UnitOptions, unitFlags, unitSettings } from "../unit-flags.js";
import { version } from "../version.js";

interface Options extends UnitOptions, RecipeFlags {
  readonly data?: string;
  readonly normalize?: string;
  readonly size?: number;
  readonly limit?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly saveEvery?: number;
  readonly conv?: ConvUnitName;
  readonly layers?: "second" | "all";
  readonly force?: boolean;
}

const units = Object.keys(convUnits) as ConvUnitName[];

export default command<[string | undefined], Options>({
  configure: (c) => configure(c),

  async run([name], options, context) {
    const { threads, progress } = context;
    const folder = folderOf(options);
    const store = folderStore(folder);
    const resume = options.resume !== undefined;
    const config = resume ? await resumed(name, options, folder) : await started(name, options, context);
    if (!resume) await checkNewRun(folder, options);
    const normalize = parseNormalize(config.normalize);
    const { size, limit } = config;
    const data = await dataFor({}, { data: options.data ?? config.data, size, limit }, progress);
    try {
      const student = networkOf(config, data);
      if (!resume) {
        await makeFolder(folder);
        await store.write(CONFIG_FILE, encodeConfig(config));
      }
      const metadata = new Map([[NORMALIZE_KEY, normalize.name]]);
      const { history, seconds } = await trainNetwork(
        nodeEngine({ threads }),
        data,
        {
          ...{ student, recipe: config.recipe, normalize, store, resume, saveEvery: options.saveEvery },
          objective: classification(student, undefined, { labelSmoothing: config.recipe.labelSmoothing }),
          onBest: (graph) =>
            store.write("best.onnx", encodeModel(modelOf(deployed(graph, config), undefined, metadata))),
        },
        { ...context, seed: config.seed },
      );
      const best = history.reduce((a, b) => (b.top1 > a.top1 ? b : a));
      const { parameters, macs } = costPerImage(lower(student));
      const perEpoch = Math.floor(data.train!.length / config.recipe.batch) * config.recipe.batch;
      const training = history.reduce((sum, e) => sum + e.seconds, 0);
      const document = {
        ...{ top1: best.top1, top5: best.top5, loss: best.loss, epochs: history.length },
        ...{ imagesPerSecond: (perEpoch * history.length) / training, parameters, macs, run: folder },
        ...{ bestEpoch: best.epoch, seconds, history },
      };
      return {
        document,
        text: ({ bold }) =>
          [
            `top-1  ${bold(`${best.top1.toFixed(2)} %`)} after epoch ${best.epoch} of ${history.length}`,
            `${formatCount(parameters)} parameters · ${formatDim(macs, formatCount)} MACs per image`,
            `${formatSeconds(seconds)}, ${Math.round(document.imagesPerSecond)} images a second`,
            `${join(folder, "best.onnx")} is the network; metrics.csv has the curve`,
          ].join("\n"),
      };
    } finally {
      await data.close();
    }
  },
});

function configure(c: Command): void {
  c.argument("[architecture]", Object.keys(architectures).join(", "))
    .option("--out <run>", "folder of the run: settings, metrics.csv, checkpoints, best.onnx")
    .option("--resume <run>", "go on with a run, under its own settings")
    .option(
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
    )
    .option("--force", "write into a folder that holds a run already");
  dataFlags(c, { required: false });
  recipeFlags(unitFlags(c), trainRecipe);
}

function folderOf({ out, resume }: Options): string {
  if (resume !== undefined && out !== undefined) {
    throw new ScconvError("usage", "--out and --resume exclude each other", {
      hint: "a resumed run stays in its folder",
    });
  }
  const folder = resume ?? out;
  if (folder === undefined)
    throw new ScconvError("usage", "no run folder", { need: "--out RUN, or --resume RUN" });
  return folder;
}

/** Settings of a new run. */
async function started(
  name: string | undefined,
  options: Options,
  context: CommandContext,
): Promise<RunConfig> {
  const { data, size, limit, conv = "standard", layers = "second" } = options;
  if (name === undefined) {
    throw new ScconvError("usage", "no architecture", { need: Object.keys(architectures).join(", ") });
  }
  architecture(name);
  if (data === undefined) throw new ScconvError("usage", "no data", { need: "--data DATA" });
  if (options.normalize === undefined) {
    context.warn("images are fed as 0 … 1; --normalize NAME or MEAN/STD centres them, which trains better");
  }
  return {
    ...{ scconv: version, architecture: name, conv, layers, unit: unitSettings(options), data },
    normalize: (options.normalize === undefined ? normalizations.none : parseNormalize(options.normalize))
      .name,
    ...(size === undefined ? {} : { size }),
    ...(limit === undefined ? {} : { limit }),
    seed: context.seed,
    recipe: await recipeOf(options, trainRecipe),
  };
}

/** A resumed run keeps its settings; only where the data lies, and how often it is saved, may have changed. */
async function resumed(name: string | undefined, options: Options, folder: string): Promise<RunConfig> {
  const config = await readConfig(folderStore(folder), folder);
  const { resume: _, data: __, saveEvery: ___, ...others } = options;
  const other = Object.keys(others)[0];
  if (other !== undefined || (name !== undefined && name !== config.architecture)) {
    throw new ScconvError("usage", "a resumed run keeps its own settings", {
      where: folder,
      got: other === undefined ? name : `--${other.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
      need: "no other than --data and --save-every",
    });
  }
  return config;
}

async function checkNewRun(folder: string, { force }: Options): Promise<void> {
  await checkWritableFolder(folder);
  const found = await stat(join(folder, CONFIG_FILE)).catch(() => undefined);
  if (found && !force) {
    throw new ScconvError("bad-input", "holds a run already", {
      where: folder,
      hint: "--resume goes on with it, --force starts anew",
    });
  }
}

/** For inference: batch norms folded, units in their short form. */
function deployed(graph: Graph, { conv, unit }: RunConfig): Graph {
  const units = conv === "scconv" ? findUnits(graph, { ...scconvDefaults, ...unit }) : [];
  return deploy(graph, units);
}

function networkOf(
  { architecture: name, conv, layers, unit, seed }: RunConfig,
  {
    height,
    width,
    channels,
    classes,
    source,
  }: { height: number; width: number; channels: number; classes: readonly string[]; source: string },
) {
  if (height !== width) {
    throw new ScconvError("bad-input", "the images are not square", {
      where: source,
      got: `${height}×${width}`,
      hint: "give --size N",
    });
  }
  const build = architecture(name);
  return build({
    ...{ classes: classes.length, channels, size: height, seed, where: layers },
    unit: convUnits[conv](unit),
  });
}
