import type { DataSet, Normalize } from "../data/data-set.js";
import type { Graph } from "../graph/ir.js";
import { modelOf } from "../graph/model.js";
import { makeFolder } from "../host/node/files.js";
import { type ReadModel, readModel, writeModel } from "../host/node/models.js";
import { nodeEngine } from "../host/node/ort.js";
import { folderStore } from "../host/node/run-store.js";
import { deploy } from "../optimise/index.js";
import type { Engine } from "../runtime/session.js";
import { calibrate } from "../surgery/calibrate.js";
import { layerRows } from "../surgery/layer-rows.js";
import { prepare } from "../surgery/prepare.js";
import type { EpochRow, LayerRow } from "../surgery/report.js";
import { slimUnit } from "../surgery/slim-settings.js";
import {
  calibrateUnits,
  calibration,
  EVALUATION_BATCH,
  fineTune,
  type Slimming,
  withErrors,
} from "../surgery/slimming.js";
import { swap } from "../surgery/swap.js";
import type { LayerChoice } from "../surgery/swap-plan.js";
import { trialOf } from "../surgery/trial.js";
import { accuracyOf } from "../train/accuracy.js";
import type { RunStore } from "../train/checkpoint.js";
import { type Classifier, classifierOf } from "../train/classifier.js";
import { imageMetadata } from "../train/model-images.js";
import type { Recipe } from "../train/recipe.js";
import type { CommandContext } from "./command.js";
import { choiceOf, type LayerPlan } from "./layer-plan.js";
import { warnOfLikelier } from "./likelier-normalize.js";
import { planLayers } from "./plan-layers.js";
import { planTable } from "./plan-table.js";
import type { SlimFlags } from "./slim-flags.js";
import { claimRun, loadCalibrated, loadPlan, saveCalibrated, savePlan } from "./slim-run.js";
import { isPlanned, unitSettings } from "./unit-flags.js";

export interface SlimJob {
  readonly file: string;
  readonly read: ReadModel;
  readonly classifier: Classifier;
  /** The batch that the file itself takes, where it is fixed there. */
  readonly fixedBatch: number | undefined;
  readonly data: DataSet;
  readonly normalize: Normalize;
  /** By a flag or by the file, not assumed. */
  readonly normalizeIsStated: boolean;
  readonly crop: number | undefined;
  readonly flags: SlimFlags;
  /** What `--plan` says. */
  readonly chosen: LayerChoice | undefined;
  readonly recipe: Recipe;
  /** Where the state is kept while it runs. */
  readonly runFolder: string;
  /** Everything that decides the outcome, for the report and for resuming. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

export interface Slimmed {
  readonly original: Graph;
  readonly graph: Graph;
  readonly bytes: number;
  readonly top1: readonly [number, number];
  readonly calibratedTop1: number;
  readonly epochs: readonly EpochRow[];
  readonly layers: readonly LayerRow[];
  readonly plan?: LayerPlan | undefined;
  readonly seconds: number;
}

/** Swap, calibrate, fine-tune by distillation, fold, write, measure the accuracy of what was written. */
export async function slim(job: SlimJob, context: CommandContext): Promise<Slimmed> {
  const { read, flags, recipe, runFolder, settings } = job;
  const engine = nodeEngine({ threads: context.threads });
  const original = prepare(read.graph);
  await makeFolder(runFolder);
  const store = folderStore(runFolder);
  await claimRun(store, settings, { resume: Boolean(flags.resume), where: runFolder });
  if (!job.normalizeIsStated && !flags.resume) {
    await warnOfLikelier(
      engine,
      slimmingOf(job, original).file,
      { data: job.data, where: job.file },
      context,
    );
  }
  const plan = isPlanned(flags) ? await planned(job, { engine, original, store }, context) : undefined;
  const swapped = swap(original, {
    layers: job.chosen ?? (plan ? choiceOf(plan) : flags.layers),
    ...{ settings: { ...slimUnit, ...unitSettings(flags) }, seed: context.seed },
  });
  context.note(`${swapped.units.length} convolutions are swapped, ${swapped.kept.length} kept`);
  for (const { name, adapted } of swapped.units) {
    if (adapted.length > 0) context.note(`${name}: ${adapted.join(", ")}`);
  }

  const slimming: Slimming = { ...slimmingOf(job, original), swapped };
  const loaded = flags.resume ? await loadCalibrated(store, swapped.graph) : undefined;
  const calibrated = loaded ?? (await calibrateUnits(engine, slimming, context));
  if (!loaded) {
    const { top1, calibratedTop1 } = calibrated.facts;
    context.note(`top-1 ${top1.toFixed(2)} % before, ${calibratedTop1.toFixed(2)} % calibrated`);
    await saveCalibrated(store, calibrated);
  }

  const resume = loaded !== undefined;
  const trained = await fineTune(engine, slimming, calibrated.graph, { recipe, store, resume }, context);
  const started = performance.now();
  const graph = deploy(trained.graph, swapped.units);
  const metadata = imageMetadata(job);
  const bytes = await writeModel(flags.out, modelOf(graph, read.model, metadata), { force: flags.force });
  const top1 = await accuracyOfFile(engine, { ...job, file: flags.out }, context);
  return {
    ...{ original, graph, bytes, top1: [calibrated.facts.top1, top1] as const },
    calibratedTop1: calibrated.facts.calibratedTop1,
    epochs: trained.history.map(({ epoch, top1, loss, seconds }) => ({ epoch, top1, loss, seconds })),
    layers: withErrors(layerRows(original, graph, swapped), swapped, calibrated),
    plan,
    seconds: calibrated.facts.seconds + trained.seconds + (performance.now() - started) / 1000,
  };
}

const slimmingOf = (
  { file, data, normalize, flags, classifier, fixedBatch, read }: SlimJob,
  original: Graph,
): Omit<Slimming, "swapped"> => ({
  ...{ where: file, original, data, normalize, settings: flags },
  file: { classifier: { ...classifier, fixedBatch }, runnable: read.runnable },
});

/** What the clock and a short calibration chose; a resumed run keeps what its beginning chose. */
async function planned(
  job: SlimJob,
  { engine, original, store }: { engine: Engine; original: Graph; store: RunStore },
  context: CommandContext,
): Promise<LayerPlan> {
  const { flags, data, recipe } = job;
  const kept = flags.resume ? await loadPlan(store) : undefined;
  if (kept) return kept;
  const settings = { ...slimUnit, ...unitSettings(flags) };
  const lossOf = trialOf(engine, { ...slimmingOf(job, original), recipe, unit: settings }, context);
  const plan = await planLayers(
    original,
    {
      ...(flags.maxDrop === undefined ? {} : { accuracy: { maxDrop: flags.maxDrop, lossOf } }),
      ...{ settings: unitSettings(flags), target: flags.target, where: job.file },
      ...{ batch: flags.latencyBatch, size: data.height },
      errors: async (layers) => {
        const { graph, units } = swap(original, { layers, settings, seed: context.seed });
        const steps = Math.min(PLANNING_STEPS, flags.calibrate);
        if (steps === 0) return new Map();
        const { errors } = await calibrate(engine, graph, original, units, data, {
          ...calibration({ settings: flags, normalize: job.normalize }, context),
          steps,
        });
        return new Map(units.map((u) => [u.node, errors.get(u.name)![1]]));
      },
    },
    context,
  );
  for (const line of planTable(plan).split("\n")) context.note(line);
  await savePlan(store, plan);
  return plan;
}

/** So many steps tell which layers a unit can stand for: their errors are far apart by then. */
const PLANNING_STEPS = 60;

/** Of the file that was written, not of the graph that was meant. */
async function accuracyOfFile(
  engine: Engine,
  { file, data, normalize }: Pick<SlimJob, "file" | "data" | "normalize">,
  context: CommandContext,
): Promise<number> {
  const { graph, runnable } = await readModel(file);
  const what = { classifier: classifierOf(graph, file), runnable };
  const how = { label: "eval slimmed", normalize, batch: EVALUATION_BATCH };
  return (await accuracyOf(engine, what, data, how, context)).top1;
}
