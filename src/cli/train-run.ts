import { ScconvError } from "../base/errors.js";
import type { DataSet } from "../data/data-set.js";
import { parseNormalize } from "../data/normalize.js";
import { encodeModel } from "../graph/codec.js";
import type { Graph } from "../graph/ir.js";
import { modelOf } from "../graph/model.js";
import { makeFolder } from "../host/node/files.js";
import { nodeEngine } from "../host/node/ort.js";
import { folderStore } from "../host/node/run-store.js";
import { scconvDefaults } from "../nn/scconv.js";
import { convUnit } from "../nn/units.js";
import type { GraphCost } from "../ops/cost.js";
import { networkCost } from "../ops/per-image.js";
import { deploy, findUnits } from "../optimise/index.js";
import type { EpochMetrics } from "../train/checkpoint.js";
import { openEventLog } from "../train/event-log.js";
import { imageMetadata } from "../train/model-images.js";
import { classification } from "../train/step.js";
import { trainNetwork } from "../train/train-network.js";
import { architecture } from "../zoo/index.js";
import { adaptedSettings, adaptedUnit } from "./adapted-unit.js";
import type { CommandContext } from "./command.js";
import { dataFor } from "./data-for.js";
import { CONFIG_FILE, encodeConfig, type RunConfig } from "./run-config.js";
import { teacherGraph } from "./teacher.js";
import { withWeights } from "./weights.js";

export interface RunOptions {
  /** Go on from where the folder's run was left; else it starts, and records its settings there. */
  readonly resume: boolean;
  /** Seconds between saves within an epoch. */
  readonly saveEvery?: number | undefined;
  /** Told of layers whose group counts were adapted to their widths. */
  readonly onAdapted?: ((layer: string, what: string) => void) | undefined;
}

/** What a run came to. */
export interface RunResult {
  /** Of every epoch, in order. */
  readonly history: readonly EpochMetrics[];
  /** Of all sessions together. */
  readonly seconds: number;
  /** Of the network as it is trained, for one image. */
  readonly cost: Pick<GraphCost, "parameters" | "macs">;
}

/** The data that a run's settings name. */
export const dataOf = (
  { data, size, limit, crop }: Pick<RunConfig, "data" | "size" | "limit" | "crop">,
  { progress }: Pick<CommandContext, "progress">,
): Promise<DataSet> => dataFor({}, { data, size, limit, crop }, progress);

/** Told of layers whose group counts were adapted to their widths. */
type OnAdapted = (layer: string, what: string) => void;

/** The network that a run begins with, before weights from elsewhere. */
export function networkOf(
  config: RunConfig,
  { height, width, channels, classes, source }: DataSet,
  onAdapted?: OnAdapted,
): Graph {
  if (height !== width) {
    throw new ScconvError("bad-input", "the images are not square", {
      where: source,
      got: `${height}×${width}`,
      hint: "give --size N",
    });
  }
  return buildNetwork(config, { channels, size: height, classes: classes.length }, onAdapted);
}

/** The network of a run on images and classes of these sizes. */
export const buildNetwork = (
  { architecture: name, conv, layers, unit, adapt, width, seed }: RunConfig,
  sizes: { readonly channels: number; readonly size: number; readonly classes: number },
  onAdapted: OnAdapted = () => {},
): Graph =>
  architecture(name)({
    ...{ ...sizes, seed, where: layers },
    ...(width === undefined ? {} : { width }),
    unit: adapt ? adaptedUnit(unit, onAdapted) : convUnit(conv, unit),
  });

/** Parameters and MACs of a run's network, for one image. */
export const costOfRun = (network: Graph): RunResult["cost"] => networkCost(network);

/** Trains what the settings describe. The folder then holds settings, metrics.csv, checkpoints and best.onnx. */
export async function trainRun(
  config: RunConfig,
  folder: string,
  data: DataSet,
  { resume, saveEvery, onAdapted }: RunOptions,
  context: Pick<CommandContext, "threads" | "progress" | "signal">,
): Promise<RunResult> {
  const store = folderStore(folder);
  const normalize = parseNormalize(config.normalize);
  const fresh = networkOf(config, data, onAdapted);
  // A run that was stopped before its first checkpoint begins anew.
  const begins = !resume || (await store.read("last.safetensors")) === undefined;
  const { graph: student } =
    config.weights && begins ? await withWeights(fresh, config.weights, config.unit) : { graph: fresh };
  const teacher = config.teacher && (await teacherGraph(config.teacher.file, data, normalize.name));
  if (!resume) {
    await makeFolder(folder);
    await store.write(CONFIG_FILE, encodeConfig(config));
  }
  const metadata = imageMetadata({ normalize, crop: config.crop });
  const { history, seconds } = await trainNetwork(
    nodeEngine({ threads: context.threads }),
    data,
    {
      ...{ student, recipe: config.recipe, normalize, store, resume, saveEvery },
      log: await openEventLog(store, { resume }),
      ...(teacher ? { teacher } : {}),
      objective: classification(student, teacher, {
        labelSmoothing: config.recipe.labelSmoothing,
        temperature: config.teacher?.temperature ?? 1,
        distillWeight: config.teacher?.distill ?? 0,
      }),
      onBest: (graph) =>
        store.write("best.onnx", encodeModel(modelOf(deployed(graph, config), undefined, metadata))),
    },
    { ...context, seed: config.seed },
  );
  return { history, seconds, cost: costOfRun(student) };
}

/** For inference: batch norms folded, units in their short form. */
export function deployed(
  graph: Graph,
  { conv, unit, adapt }: Pick<RunConfig, "conv" | "unit" | "adapt">,
): Graph {
  const found = conv === "scconv" ? findUnits(graph, { ...scconvDefaults, ...unit }) : [];
  return deploy(graph, adapt ? found.map((u) => ({ ...u, settings: adaptedSettings(graph, u) })) : found);
}
