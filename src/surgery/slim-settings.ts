import { type Recipe, trainRecipe } from "../train/recipe.js";

/** Beside the recipe: how new units are fitted to what they replace, and how the original teaches. */
export interface SlimSettings {
  /** Steps of the calibration; 0: none. */
  readonly calibrate: number;
  readonly calibrateBatch: number;
  readonly calibrateLr: number;
  /** Learning rate of the gate's γ and β, as a multiple. */
  readonly gateRate: number;
  readonly temperature: number;
  /** Weight of the original's answers against the labels. */
  readonly distill: number;
  /** Weight of the original's features, compared behind every new unit. */
  readonly hint: number;
}

export const slimDefaults: SlimSettings = {
  calibrate: 400,
  calibrateBatch: 64,
  calibrateLr: 0.01,
  gateRate: 1,
  temperature: 4,
  distill: 0.9,
  hint: 20,
};

/**
 * Fine-tuning is short and starts from a network that half works; AdamW did best of what was tried (docs/decisions.md).
 */
export const slimRecipe: Recipe = {
  ...trainRecipe,
  epochs: 4,
  optimizer: "adamw",
  lr: 0.002,
  weightDecay: 1e-3,
};

/** Calibration starts from gates that let everything pass. */
export const slimUnit = { gateBias: 2 };
