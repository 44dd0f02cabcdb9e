import type { Command } from "commander";
import { distance } from "fastest-levenshtein";
import { ScconvError } from "../base/errors.js";
import type { Recipe } from "../train/recipe.js";
import { numbers, oneOf, real, whole } from "./flags.js";

type Value = Recipe[keyof Recipe];

interface Setting {
  readonly flag: string;
  readonly about: string;
  /** From a flag or a file. Throws `usage` for what cannot be. Absent for yes and no. */
  readonly read?: (text: string) => Value;
}

/** One row for each setting: its flag, what it is, and how its value is read. */
const settings: Readonly<Record<keyof Recipe, Setting>> = {
  epochs: { flag: "--epochs <n>", about: "passes over the training images", read: whole("--epochs") },
  batch: { flag: "--batch <n>", about: "images in a step", read: whole("--batch", 2) },
  accumulate: {
    flag: "--accumulate <n>",
    about: "parts that a step's images are cut into, for less memory",
    read: whole("--accumulate"),
  },
  checkpointActivations: {
    flag: "--checkpoint-activations",
    about:
      "makes activations again for the backward pass in the place of keeping them: less memory, more work",
  },
  checkpointElementwise: {
    flag: "--checkpoint-elementwise",
    about: "makes again only what takes no convolution: saves less memory for little more work",
  },
  lr: { flag: "--lr <rate>", about: "highest learning rate", read: real("--lr", { min: 0, open: true }) },
  optimizer: {
    flag: "--optimizer <name>",
    about: "sgd or adamw",
    read: oneOf("--optimizer", ["sgd", "adamw"] as const),
  },
  momentum: {
    flag: "--momentum <m>",
    about: "of sgd",
    read: real("--momentum", { min: 0, max: 0.9999 }),
  },
  nesterov: { flag: "--nesterov", about: "Nesterov's form of it" },
  weightDecay: {
    flag: "--weight-decay <d>",
    about: "not on norms and biases, unless --decay-norms",
    read: real("--weight-decay", { min: 0 }),
  },
  decayNorms: { flag: "--decay-norms", about: "weight decay on norms and biases, too" },
  schedule: {
    flag: "--schedule <name>",
    about: "cosine or steps",
    read: oneOf("--schedule", ["cosine", "steps"] as const),
  },
  milestones: {
    flag: "--milestones <list>",
    about: "of steps: shares of the run (0.5,0.75), or epochs (100,150)",
    read: numbers("--milestones", isMilestone, "shares between 0 and 1, or whole numbers of epochs"),
  },
  factor: {
    flag: "--factor <f>",
    about: "of the learning rate at each milestone",
    read: real("--factor", { min: 0, max: 1 }),
  },
  warmup: { flag: "--warmup <steps>", about: "steps of linear warm-up", read: whole("--warmup", 0) },
  labelSmoothing: {
    flag: "--label-smoothing <s>",
    about: "share of the target for all classes",
    read: real("--label-smoothing", { min: 0, max: 0.9999 }),
  },
  mixup: {
    flag: "--mixup <alpha>",
    about: "mixes pairs of images, with a share drawn from Beta(α, α); 0: none",
    read: real("--mixup", { min: 0 }),
  },
  ema: {
    flag: "--ema <keep>",
    about: "evaluates and keeps an average of the weights, of which each step keeps this share; 0: none",
    read: real("--ema", { min: 0, max: 0.999999 }),
  },
  shuffleBuffer: {
    flag: "--shuffle-buffer <n>",
    about:
      "reads shards from front to back and shuffles within a buffer of n images; 0: over the whole split",
    read: whole("--shuffle-buffer", 0),
  },
  resizedCrop: {
    flag: "--resized-crop <share>",
    about:
      "random crops of at least this share of the image (ImageNet: 0.08), in the place of --pad; 0: none",
    read: real("--resized-crop", { min: 0, max: 1 }),
  },
  jitter: {
    flag: "--jitter <b,c,s,h>",
    about: "random brightness, contrast, saturation and hue (0.4,0.4,0.4,0.1)",
    read: numbers("--jitter", (x) => x >= 0, "numbers from 0: brightness, contrast, saturation, hue"),
  },
  pad: { flag: "--pad <n>", about: "pixels of border to crop from", read: whole("--pad", 0) },
  flip: { flag: "--flip", about: "mirror half of the images" },
};

function isMilestone(m: number): boolean {
  return m > 0 && (m < 1 || Number.isSafeInteger(m));
}

/** Flags without defaults of their own: what is not given comes from the recipe's files, then from `defaults`. */
export function settingFlags(command: Command, defaults: Recipe): Command {
  for (const [key, { flag, about, read }] of Object.entries(settings)) {
    const value = defaults[key as keyof Recipe];
    if (read) command.option(flag, `${about} (default: ${shown(value)})`, read);
    else {
      command.option(flag, `${about} (default: ${value ? "yes" : "no"})`);
      command.option(flag.replace("--", "--no-"), "not so");
    }
  }
  return command;
}

const shown = (value: Value): string => (Array.isArray(value) ? value.join() || "none" : `${value}`);

/** Throws `bad-input` for a setting that no recipe has, or of another type, and `usage` for a value that cannot be. */
export function checkSetting(
  key: string,
  value: unknown,
  { defaults, where }: { defaults: Recipe; where: string },
): void {
  if (!Object.hasOwn(settings, key)) {
    const near = Object.keys(settings).toSorted((a, b) => distance(a, key) - distance(b, key))[0];
    throw new ScconvError("bad-input", `no setting is called "${key}"`, {
      where,
      hint: `did you mean ${near}?`,
    });
  }
  const wanted = defaults[key as keyof Recipe];
  const fits = Array.isArray(wanted)
    ? Array.isArray(value) && value.every((v) => typeof v === "number")
    : typeof value === typeof wanted;
  if (!fits) {
    const type = Array.isArray(wanted) ? "list of numbers" : typeof wanted;
    throw new ScconvError("bad-input", `setting ${key} is no ${type}`, {
      where,
      got: JSON.stringify(value),
    });
  }
  settings[key as keyof Recipe].read?.(`${value}`);
}
