import { signal } from "@preact/signals";
import { type Recipe, type SlimSettings, slimDefaults, slimRecipe } from "scconv";

/** What of `scconv slim` can be set here, by its names. */
export type TrainingSettings = SlimSettings &
  Pick<Recipe, "epochs" | "batch" | "lr" | "accumulate" | "weightDecay" | "labelSmoothing" | "pad" | "flip">;
export type NumberSetting = Exclude<keyof TrainingSettings, "flip">;

const { epochs, batch, lr, accumulate, weightDecay, labelSmoothing, pad, flip } = slimRecipe;
/** As the command line has them. */
export const defaults: TrainingSettings = {
  ...slimDefaults,
  ...{ epochs, batch, lr, accumulate, weightDecay, labelSmoothing, pad, flip },
};

export const settings = signal<TrainingSettings>(defaults);
export const set = (change: Partial<TrainingSettings>): void => {
  settings.value = { ...settings.value, ...change };
};

export interface NumberField {
  readonly key: NumberSetting;
  readonly label: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly step: number | "any";
}

export const mainFields: readonly NumberField[] = [
  { key: "epochs", label: "Epochs", help: "passes over the training images", min: 1, max: 1000, step: 1 },
  { key: "batch", label: "Batch", help: "images in a step", min: 2, max: 4096, step: 1 },
  { key: "lr", label: "Learning rate", help: "the highest", min: 1e-9, max: 10, step: "any" },
  {
    ...{ key: "calibrate", label: "Calibration", help: "steps that fit new units; 0: none" },
    ...{ min: 0, max: 100_000, step: 1 },
  },
];

export const moreFields: readonly NumberField[] = [
  {
    ...{ key: "calibrateBatch", label: "Calibration batch", help: "images in such a step" },
    ...{ min: 2, max: 4096, step: 1 },
  },
  {
    ...{ key: "calibrateLr", label: "Calibration rate", help: "its learning rate" },
    ...{ min: 1e-9, max: 10, step: "any" },
  },
  { key: "gateRate", label: "Gate rate", help: "of γ and β, as a multiple", min: 0, max: 1000, step: "any" },
  {
    ...{ key: "distill", label: "Distillation", help: "weight of the original's answers" },
    ...{ min: 0, max: 1, step: "any" },
  },
  {
    ...{ key: "temperature", label: "Temperature", help: "of the distillation" },
    ...{ min: 0.01, max: 100, step: "any" },
  },
  { key: "hint", label: "Hint", help: "weight of its features", min: 0, max: 1000, step: "any" },
  { key: "weightDecay", label: "Weight decay", help: "not on norms", min: 0, max: 1, step: "any" },
  {
    ...{ key: "labelSmoothing", label: "Label smoothing", help: "share for all classes" },
    ...{ min: 0, max: 0.9, step: "any" },
  },
  {
    key: "accumulate",
    label: "Accumulate",
    help: "parts of a batch, for less memory",
    min: 1,
    max: 64,
    step: 1,
  },
  { key: "pad", label: "Pad", help: "pixels of border to crop from", min: 0, max: 64, step: 1 },
];

const flags: Readonly<Record<keyof TrainingSettings, string>> = {
  ...{ epochs: "epochs", batch: "batch", lr: "lr", accumulate: "accumulate", weightDecay: "weight-decay" },
  ...{ labelSmoothing: "label-smoothing", pad: "pad", flip: "flip" },
  ...{ calibrate: "calibrate", calibrateBatch: "calibrate-batch", calibrateLr: "calibrate-lr" },
  ...{ gateRate: "gate-rate", temperature: "temperature", distill: "distill", hint: "hint" },
};

/** The flags that say the same on the command line. */
export function flagsOf(chosen: TrainingSettings): string {
  return (Object.keys(flags) as (keyof TrainingSettings)[])
    .filter((key) => chosen[key] !== defaults[key])
    .map((key) => (key === "flip" ? "--no-flip" : `--${flags[key]} ${chosen[key]}`))
    .join(" ");
}

export function recipeOf(chosen: TrainingSettings): Recipe {
  const { epochs, batch, lr, accumulate, weightDecay, labelSmoothing, pad, flip } = chosen;
  return { ...slimRecipe, epochs, batch, lr, accumulate, weightDecay, labelSmoothing, pad, flip };
}

export function slimSettingsOf(chosen: TrainingSettings): SlimSettings {
  const { calibrate, calibrateBatch, calibrateLr, gateRate, temperature, distill, hint } = chosen;
  return { calibrate, calibrateBatch, calibrateLr, gateRate, temperature, distill, hint };
}

/** Why it cannot be begun with so many images; undefined where it can. */
export function tooFew(images: number, { batch, calibrate, calibrateBatch, accumulate }: TrainingSettings) {
  const most = Math.max(batch, calibrate > 0 ? calibrateBatch : 0);
  if (images < most) {
    const which = batch > images ? "Batch" : "Calibration batch";
    return `${which} is ${which === "Batch" ? batch : calibrateBatch}, and there are ${images} training images: make it smaller, or take more images.`;
  }
  if (batch % accumulate !== 0 || batch / accumulate < 2) {
    return `A batch of ${batch} cannot be cut into ${accumulate}: Accumulate has to be a divisor of it that leaves 2 images or more.`;
  }
  return undefined;
}
