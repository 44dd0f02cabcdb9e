import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { formatCount, formatDim, formatSeconds } from "../../base/format.js";
import { checkWritableFolder } from "../../host/node/files.js";
import { folderStore } from "../../host/node/run-store.js";
import { type CommandContext, command } from "../command.js";
import { CONFIG_FILE, type RunConfig, readConfig } from "../run-config.js";
import { type RunFlags, runConfigOf, runFlags } from "../run-flags.js";
import { dataOf, trainRun } from "../train-run.js";

interface Options extends RunFlags {
  readonly out?: string;
  readonly resume?: string;
  readonly force?: boolean;
}

export default command<[string | undefined], Options>({
  configure(c) {
    c.argument("[architecture]", "one that scconv zoo lists: resnet20, resnet50-cifar, …")
      .option(
        "--out <run>",
        "folder of the run: settings, metrics.csv, TensorBoard events, checkpoints, best.onnx",
      )
      .option("--resume <run>", "go on with a run, under its own settings")
      .option("--force", "write into a folder that holds a run already");
    runFlags(c);
  },

  async run([name], options, context) {
    const folder = folderOf(options);
    const resume = options.resume !== undefined;
    const config = resume ? await resumed(name, options, folder) : await started(name, options, context);
    if (!resume) await checkNewRun(folder, options);
    const data = await dataOf({ ...config, data: options.data ?? config.data }, context);
    try {
      const { saveEvery } = options;
      const onAdapted = (layer: string, what: string) => context.note(`${layer}: ${what}`);
      const { history, seconds, cost } = await trainRun(
        config,
        folder,
        data,
        { resume, saveEvery, onAdapted },
        context,
      );
      const best = history.reduce((a, b) => (b.top1 > a.top1 ? b : a));
      const { parameters, macs } = cost;
      const perEpoch = Math.floor(data.train!.length / config.recipe.batch) * config.recipe.batch;
      const training = history.reduce((sum, e) => sum + e.seconds, 0);
      const idle = history.reduce((sum, e) => sum + e.seconds * e.idle, 0) / training;
      const document = {
        ...{ top1: best.top1, top5: best.top5, loss: best.loss, epochs: history.length },
        ...{ imagesPerSecond: (perEpoch * history.length) / training, parameters, macs, run: folder },
        ...{ bestEpoch: best.epoch, seconds, idle, history },
      };
      return {
        document,
        text: ({ bold }) =>
          [
            `top-1  ${bold(`${best.top1.toFixed(2)} %`)} after epoch ${best.epoch} of ${history.length}`,
            `${formatCount(parameters)} parameters · ${formatDim(macs, formatCount)} MACs per image`,
            `${formatSeconds(seconds)}, ${Math.round(document.imagesPerSecond)} images a second, the engine idle for ${(100 * idle).toFixed(1)} % of the epochs`,
            `${join(folder, "best.onnx")} is the network; metrics.csv has the curve`,
          ].join("\n"),
      };
    } finally {
      await data.close();
    }
  },
});

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
function started(name: string | undefined, options: Options, context: CommandContext): Promise<RunConfig> {
  if (name === undefined) {
    throw new ScconvError("usage", "no architecture", { need: "one that scconv zoo lists" });
  }
  return runConfigOf(name, options, context);
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
