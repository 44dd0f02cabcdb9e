import { opened } from "../models/slots.js";
import { stemOf } from "../parts/save-file.js";
import { limit, normalize, seed } from "./images.js";
import { flagsOf, settings } from "./settings.js";

/** What says the same on the command line. */
export function commandLine(): string {
  const name = stemOf(opened.value?.summary.name ?? "model");
  return [
    `scconv slim ${name}.onnx --plan ${name}-plan.json --data DATA -o ${name}-slim.onnx`,
    `--normalize ${normalize.value}`,
    flagsOf(settings.value),
    seed.value === 0 ? "" : `--seed ${seed.value}`,
    limit.value === undefined ? "" : `--limit ${limit.value}`,
  ]
    .filter(Boolean)
    .join(" ");
}
