import type { DataSet, Normalize } from "../data/data-set.js";
import type { Graph } from "../graph/ir.js";
import { deploy } from "../optimise/index.js";
import type { Progress } from "../runtime/progress.js";
import type { Engine } from "../runtime/session.js";
import { accuracyOf } from "../train/accuracy.js";
import { type Classifier, classifierOf } from "../train/classifier.js";
import { withInitializers } from "../train/parts.js";
import type { Trained, Training, TrainingContext } from "../train/train-network.js";
import { trainNetwork } from "../train/train-network.js";
import { calibrate } from "./calibrate.js";
import { distillation } from "./distill.js";
import type { LayerRow, Pair } from "./report.js";
import type { SlimSettings } from "./slim-settings.js";
import type { Swapped } from "./swap.js";

/** A network in which convolutions were swapped, and what it is brought back to its accuracy with. */
export interface Slimming {
  /** For messages. */
  readonly where: string;
  /** Ready for surgery, with an open batch; it teaches. */
  readonly original: Graph;
  /** As the file has it, its batch included. */
  readonly file: { readonly classifier: Classifier; readonly runnable: Uint8Array | string | Graph };
  readonly swapped: Swapped;
  readonly data: DataSet;
  readonly normalize: Normalize;
  readonly settings: SlimSettings;
}

/** What is known once the units are calibrated, and what a resumed run starts from. */
export interface Calibrated {
  /** The swapped network with its calibrated weights. */
  readonly graph: Graph;
  readonly facts: {
    /** Of the original. */
    readonly top1: number;
    readonly calibratedTop1: number;
    /** By unit: before and after. */
    readonly errors: Readonly<Record<string, Pair>>;
    readonly seconds: number;
  };
}

export const EVALUATION_BATCH = 125;

interface CalibrationContext extends TrainingContext {
  readonly progress?: Progress | undefined;
  /** Ends the calibration early, with what it has reached. */
  readonly enough?: AbortSignal | undefined;
}

/** The original's accuracy, and the swapped network fitted unit by unit to what it replaces. */
export async function calibrateUnits(
  engine: Engine,
  slimming: Slimming,
  context: CalibrationContext,
): Promise<Calibrated> {
  const { where, original, file, swapped, data, normalize, settings } = slimming;
  const started = performance.now();
  const how = { normalize, batch: EVALUATION_BATCH };
  const { top1 } = await accuracyOf(engine, file, data, { ...how, label: "eval original" }, context);
  const { graph, errors } =
    settings.calibrate === 0
      ? { graph: swapped.graph, errors: new Map() }
      : await calibrate(engine, swapped.graph, original, swapped.units, data, {
          ...calibration(slimming, context),
          ...(context.enough ? { enough: context.enough } : {}),
        });
  const runnable = deploy(graph, swapped.units);
  const after = { classifier: classifierOf(runnable, where), runnable };
  const result = await accuracyOf(engine, after, data, { ...how, label: "eval calibrated" }, context);
  const seconds = (performance.now() - started) / 1000;
  const facts = { top1, calibratedTop1: result.top1, errors: Object.fromEntries(errors), seconds };
  return { graph, facts };
}

/** The options of a calibration by these settings. */
export const calibration = (
  { settings, normalize }: Pick<Slimming, "settings" | "normalize">,
  { seed, threads, progress, signal }: TrainingContext,
) => ({
  ...{ steps: settings.calibrate, batch: settings.calibrateBatch, learningRate: settings.calibrateLr },
  ...{ gateRate: settings.gateRate, normalize, seed, threads, progress, signal },
});

/** Trains the whole by distillation from the original; `graph` of what it gives is the whole, with the file's own outputs. */
export async function fineTune(
  engine: Engine,
  slimming: Slimming,
  calibrated: Graph,
  training: Pick<Training, "recipe" | "store" | "resume" | "onStep" | "onEpoch">,
  context: TrainingContext,
): Promise<Trained> {
  const { swapped, data, normalize, settings } = slimming;
  const { student, teacher } = pupils(slimming, calibrated);
  const trained = await trainNetwork(
    engine,
    data,
    {
      ...{ ...training, student, teacher, normalize },
      objective: distillation(student, teacher, swapped.units, {
        labelSmoothing: training.recipe.labelSmoothing,
        temperature: settings.temperature,
        distillWeight: settings.distill,
        hintWeight: settings.hint,
      }),
      rate: (name) => (name.includes(".sru.gn.") ? settings.gateRate : 1),
    },
    context,
  );
  return { ...trained, graph: withInitializers(calibrated, trained.graph.initializers) };
}

/** Both networks up to their logits. */
export function pupils({ original, file }: Pick<Slimming, "original" | "file">, calibrated: Graph) {
  const logits = (graph: Graph): Graph => ({ ...graph, outputs: file.classifier.graph.outputs });
  return { student: logits(calibrated), teacher: logits(original) };
}

/** With the errors of the calibration, by layer. */
export function withErrors(rows: readonly LayerRow[], { units }: Swapped, { facts }: Calibrated): LayerRow[] {
  const byNode = new Map(units.map((u) => [u.node, u.name]));
  const errors = new Map(Object.entries(facts.errors));
  return rows.map((row) => {
    const error = errors.get(byNode.get(row.name) ?? "");
    return error ? { ...row, error } : row;
  });
}
