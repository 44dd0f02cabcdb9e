import { sampleOf } from "../data/sample.js";
import type { Engine } from "../runtime/session.js";
import { accuracyOf } from "../train/accuracy.js";
import type { Recipe } from "../train/recipe.js";
import type { TrainingContext } from "../train/train-network.js";
import { calibrate } from "./calibrate.js";
import { calibration, EVALUATION_BATCH, fineTune, type Slimming } from "./slimming.js";
import { type SwapOptions, swap } from "./swap.js";
import type { LayerChoice } from "./swap-plan.js";

/** A trial trains for this share of the fine-tuning that it is for, and calibrates for this share of the steps. */
const SHARE = 1 / 8;
const CALIBRATION_SHARE = 1 / 4;
/** Of fine-tuning; fewer say nothing. */
const LEAST_STEPS = 100;
/** Evaluation images at most: so many tell losses of half a point apart. */
const MOST_IMAGES = 10_000;

export interface TrialContext extends TrainingContext {
  note(text: string): void;
}

/**
 * How many points of top-1 a choice of layers costs after a short distillation, on the evaluation split: what it costs in
 * the end is less, because the fine-tuning goes on. `unit`: the settings of units whose layers have none of their own.
 */
export function trialOf(
  engine: Engine,
  job: Omit<Slimming, "swapped"> & {
    readonly recipe: Recipe;
    readonly unit: NonNullable<SwapOptions["settings"]>;
  },
  context: TrialContext,
): (layers: LayerChoice) => Promise<number> {
  const { original, file, normalize, settings, unit } = job;
  const { steps, recipe } = shortened(job.recipe, job.data.train!.length);
  const data = sampleOf(job.data, { train: Math.max(1, steps) * recipe.batch, test: MOST_IMAGES });
  let before: number | undefined;
  let trials = 0;
  return async (layers) => {
    const how = { label: "eval original", normalize, batch: EVALUATION_BATCH };
    before ??= (await accuracyOf(engine, file, data, how, context)).top1;
    const swapped = swap(original, { layers, settings: unit, seed: context.seed });
    const calibrateSteps = Math.ceil(settings.calibrate * CALIBRATION_SHARE);
    const { graph } =
      calibrateSteps === 0
        ? swapped
        : await calibrate(engine, swapped.graph, original, swapped.units, job.data, {
            ...calibration(job, context),
            steps: calibrateSteps,
          });
    const { best } = await fineTune(engine, { ...job, swapped, data }, graph, { recipe }, context);
    const changed = `top-1 ${before.toFixed(2)} → ${best.toFixed(2)} %`;
    const count = swapped.units.length;
    const layersText = `${count} ${count === 1 ? "layer" : "layers"}`;
    context.note(`trial ${++trials}: ${layersText}, ${changed} after ${steps} steps`);
    return before - best;
  };
}

function shortened(recipe: Recipe, images: number): { steps: number; recipe: Recipe } {
  const perEpoch = Math.floor(images / recipe.batch);
  const steps = Math.min(perEpoch, Math.max(LEAST_STEPS, Math.ceil(perEpoch * recipe.epochs * SHARE)));
  const warmup = Math.min(recipe.warmup, Math.ceil(steps / 10));
  return { steps, recipe: { ...recipe, epochs: 1, warmup } };
}
