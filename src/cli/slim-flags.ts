import type { Command } from "commander";
import { type Recipe, trainRecipe } from "../train/recipe.js";
import { dataFlags } from "./data-flags.js";
import type { DataFlags } from "./data-for.js";
import { real, whole } from "./flags.js";
import { type RecipeFlags, recipeFlags } from "./recipe-files.js";
import { type SwapFlags, swapFlags } from "./unit-flags.js";

export interface SlimFlags extends SwapFlags, DataFlags, RecipeFlags {
  readonly out: string;
  readonly normalize?: string;
  readonly report?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly maxDrop?: number;
  readonly calibrate: number;
  readonly calibrateBatch: number;
  readonly calibrateLr: number;
  readonly gateRate: number;
  readonly temperature: number;
  readonly distill: number;
  readonly hint: number;
  readonly latencyRuns: number;
}

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

export function slimFlags(c: Command): void {
  c.argument("<model>", "an ONNX file: a classifier of images")
    .requiredOption("-o, --out <file>", "the new ONNX file")
    .option("--report <folder>", "report.json and index.html (default: beside the output)")
    .option("--max-drop <points>", "fail when top-1 falls by more", real("--max-drop", { min: 0, max: 100 }))
    .option("--resume", "go on where the same command was stopped")
    .option("--force", "replace an existing output and report");
  recipeFlags(swapFlags(dataFlags(c)), slimRecipe)
    .option(
      "--calibrate <steps>",
      "steps that fit new units to what they replace; 0: none",
      whole("--calibrate", 0),
      400,
    )
    .option("--calibrate-batch <n>", "images in such a step", whole("--calibrate-batch", 2), 64)
    .option(
      "--calibrate-lr <rate>",
      "its learning rate",
      real("--calibrate-lr", { min: 0, open: true }),
      0.01,
    )
    .option(
      "--gate-rate <times>",
      "learning rate of the gate's γ and β, as a multiple",
      real("--gate-rate", { min: 0 }),
      1,
    )
    .option("--temperature <t>", "of the distillation", real("--temperature", { min: 0, open: true }), 4)
    .option(
      "--distill <share>",
      "weight of the original's answers against the labels",
      real("--distill", { min: 0, max: 1 }),
      0.9,
    )
    .option(
      "--hint <weight>",
      "of the original's features, compared behind every new unit; 0: its answers only",
      real("--hint", { min: 0 }),
      20,
    )
    .option("--latency-runs <n>", "timed inferences of each model", whole("--latency-runs"), 50);
}
