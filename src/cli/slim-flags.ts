import type { Command } from "commander";
import { type SlimSettings, slimDefaults, slimRecipe } from "../surgery/slim-settings.js";
import { dataFlags } from "./data-flags.js";
import type { DataFlags } from "./data-for.js";
import { real, whole } from "./flags.js";
import { type RecipeFlags, recipeFlags } from "./recipe-files.js";
import { type SwapFlags, swapFlags } from "./unit-flags.js";

export interface SlimFlags extends SwapFlags, DataFlags, RecipeFlags, SlimSettings {
  readonly out: string;
  readonly normalize?: string;
  readonly report?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly maxDrop?: number;
  readonly latencyRuns: number;
}

export function slimFlags(c: Command): void {
  c.argument("<model>", "an ONNX file: a classifier of images")
    .requiredOption("-o, --out <file>", "the new ONNX file")
    .option("--report <folder>", "report.json and index.html (default: beside the output)")
    .option(
      "--max-drop <points>",
      "fail when top-1 falls by more; with --layers auto: the fastest choice that loses no more in short trials",
      real("--max-drop", { min: 0, max: 100 }),
    )
    .option("--resume", "go on where the same command was stopped")
    .option("--force", "replace an existing output and report");
  recipeFlags(swapFlags(dataFlags(c)), slimRecipe)
    .option(
      "--calibrate <steps>",
      "steps that fit new units to what they replace; 0: none",
      whole("--calibrate", 0),
      slimDefaults.calibrate,
    )
    .option(
      "--calibrate-batch <n>",
      "images in such a step",
      whole("--calibrate-batch", 2),
      slimDefaults.calibrateBatch,
    )
    .option(
      "--calibrate-lr <rate>",
      "its learning rate",
      real("--calibrate-lr", { min: 0, open: true }),
      slimDefaults.calibrateLr,
    )
    .option(
      "--gate-rate <times>",
      "learning rate of the gate's γ and β, as a multiple",
      real("--gate-rate", { min: 0 }),
      slimDefaults.gateRate,
    )
    .option(
      "--temperature <t>",
      "of the distillation",
      real("--temperature", { min: 0, open: true }),
      slimDefaults.temperature,
    )
    .option(
      "--distill <share>",
      "weight of the original's answers against the labels",
      real("--distill", { min: 0, max: 1 }),
      slimDefaults.distill,
    )
    .option(
      "--hint <weight>",
      "of the original's features, compared behind every new unit; 0: its answers only",
      real("--hint", { min: 0 }),
      slimDefaults.hint,
    )
    .option("--latency-runs <n>", "timed inferences of each model", whole("--latency-runs"), 50);
}
