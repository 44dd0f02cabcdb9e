import type { Augment, BatchOptions } from "../data/data-set.js";
import { imagenetCrop } from "../data/resized-crop.js";
import { adamw, type Optimizer, sgd } from "./optimizer.js";
import type { Recomputed } from "./recomputed-segments.js";
import { cosine, type Schedule, steps } from "./schedule.js";

/** How a network is trained: what recipe files hold, what the flags set, and what a run's config.json records. */
export interface Recipe {
  readonly epochs: number;
  /** Images of one update. */
  readonly batch: number;
  /** Micro-batches that it is cut into, each with batch statistics of its own. */
  readonly accumulate: number;
  /** Activations are made again for the backward pass, and not kept: less memory for more work, the same numbers but for rounding. */
  readonly checkpointActivations: boolean;
  /** So for all but what convolutions and products give: saves less memory, for little work. The other goes before it. */
  readonly checkpointElementwise: boolean;
  readonly lr: number;
  readonly optimizer: "sgd" | "adamw";
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Weight decay on norms and biases, too, as PyTorch's optimizers have it when they are told nothing. */
  readonly decayNorms: boolean;
  readonly schedule: "cosine" | "steps";
  /** Of `steps`. Below 1: shares of the run; whole numbers: epochs done. */
  readonly milestones: readonly number[];
  readonly factor: number;
  /** Steps. */
  readonly warmup: number;
  readonly labelSmoothing: number;
  /** α of mixup; 0: none. */
  readonly mixup: number;
  /** Share of the old that the average of the weights keeps at each update; 0: no average. */
  readonly ema: number;
  /** Images are shuffled within a buffer of so many, and read from front to back; 0: over the whole split. */
  readonly shuffleBuffer: number;
  /** Least share of the image that a random crop takes (0.08 for ImageNet), in the place of `pad`; 0: no such crops. */
  readonly resizedCrop: number;
  /** Brightness, contrast, saturation, hue; nothing: no jitter. */
  readonly jitter: readonly number[];
  /** Pixels of border to crop from; 0: none. */
  readonly pad: number;
  readonly flip: boolean;
}

/** He et al. 2016 for CIFAR, with Nesterov momentum, a cosine and the field's usual weight decay. */
export const trainRecipe: Recipe = {
  epochs: 100,
  batch: 128,
  accumulate: 1,
  checkpointActivations: false,
  checkpointElementwise: false,
  lr: 0.1,
  optimizer: "sgd",
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
  decayNorms: false,
  schedule: "cosine",
  milestones: [0.5, 0.75],
  factor: 0.1,
  warmup: 100,
  labelSmoothing: 0,
  mixup: 0,
  ema: 0,
  shuffleBuffer: 0,
  resizedCrop: 0,
  jitter: [],
  pad: 4,
  flip: true,
};

/** A recipe recorded before some of the settings existed: they were as they are by default. */
export const completeRecipe = (recorded: Partial<Recipe>): Recipe => ({ ...trainRecipe, ...recorded });

export const optimizerOf = ({ optimizer, momentum, nesterov, weightDecay, decayNorms }: Recipe): Optimizer =>
  optimizer === "sgd"
    ? sgd({ momentum, nesterov, weightDecay, decayNorms })
    : adamw({ weightDecay, decayNorms });

/** The one that saves more goes before the other. */
function recomputedOf({ checkpointActivations, checkpointElementwise }: Recipe): Recomputed | undefined {
  if (checkpointActivations) return "blocks";
  return checkpointElementwise ? "elementwise" : undefined;
}

/** What of a recipe is part of the step graph. */
export const stepOf = (recipe: Recipe, seed: number) => ({
  ...{ batch: recipe.batch, accumulate: recipe.accumulate, optimizer: optimizerOf(recipe) },
  recompute: recomputedOf(recipe),
  ...(recipe.mixup > 0 ? { mixup: { alpha: recipe.mixup, seed } } : {}),
  ...(recipe.ema > 0 ? { average: recipe.ema } : {}),
});

export const scheduleOf = ({ schedule, lr, warmup, milestones, factor, epochs }: Recipe): Schedule =>
  schedule === "cosine" ? cosine(lr, { warmup }) : steps(lr, { milestones, factor, epochs, warmup });

export function augmentOf({ pad, flip, resizedCrop, jitter }: Recipe): Augment | undefined {
  if (pad === 0 && !flip && resizedCrop === 0 && jitter.length === 0) return undefined;
  const [brightness = 0, contrast = 0, saturation = 0, hue = 0] = jitter;
  return {
    ...(resizedCrop > 0 ? { resizedCrop: { ...imagenetCrop, scale: [resizedCrop, 1] } } : {}),
    ...(jitter.length > 0 ? { jitter: { brightness, contrast, saturation, hue } } : {}),
    pad: resizedCrop > 0 ? 0 : pad,
    flip,
  };
}

export const shuffleOf = ({ shuffleBuffer }: Recipe): BatchOptions["shuffle"] =>
  shuffleBuffer > 0 ? { buffer: shuffleBuffer } : true;
