import { reportPage, type SlimReport } from "scconv";
import { opened } from "../models/slots.js";
import { stemOf } from "../parts/save-file.js";
import { keptIn } from "./kept-in.js";
import type { TrainingOutcome } from "./protocol.js";
import { type Given, given } from "./training.js";

declare const SCCONV_VERSION: string;

/** The page that `scconv slim` writes, of a run in this one. */
export function trainingReport(outcome: TrainingOutcome): string {
  const name = opened.peek()!.summary.name;
  return reportPage(reportOf(outcome, given.peek()!, name), { data: false });
}

function reportOf(outcome: TrainingOutcome, { request, images, command }: Given, name: string): SlimReport {
  const { started, seconds, parameters, macs, bytes, top1, calibratedTop1, epochs, layers, runtime } =
    outcome;
  const { provider, threads, seed, normalize, choice, recipe, settings } = request;
  return {
    version: 1,
    ...{ command, started, seconds, seed, parameters, bytes, top1, calibratedTop1, epochs, layers },
    macs: macs ?? [Number.NaN, Number.NaN],
    software: {
      scconv: SCCONV_VERSION,
      runtime: `${runtime} (${provider}, ${threads} ${threads === 1 ? "thread" : "threads"})`,
      host: navigator.userAgent,
    },
    input: name,
    output: `${stemOf(name)}-slim.onnx`,
    data: {
      ...{ source: images.name, trainImages: images.train, testImages: images.test },
      ...{ classes: images.classes.length, normalize },
    },
    settings: {
      ...{ ...choice.settings, ...settings, ...recipe },
      ...{ milestones: recipe.milestones.join(), jitter: recipe.jitter.join() },
    },
    written: `In the file that was written ${keptIn(outcome)}`,
  };
}
