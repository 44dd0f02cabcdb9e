import { rm, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { decodeSafetensors, encodeSafetensors } from "../runtime/safetensors.js";
import type { Calibrated } from "../surgery/slimming.js";
import type { RunStore } from "../train/checkpoint.js";
import { trainableParts, withInitializers } from "../train/parts.js";
import type { LayerPlan } from "./layer-plan.js";

const FILE = "calibrated.safetensors";
const SETTINGS = "settings.json";
const PLAN = "plan.json";

/** The original rewritten, while it is timed. */
export const REWRITTEN = "rewritten.onnx";

/** Which layers were chosen: the clock would choose otherwise the next time. */
export const savePlan = (store: RunStore, plan: LayerPlan): Promise<void> =>
  store.write(PLAN, new TextEncoder().encode(`${JSON.stringify(plan, null, 2)}\n`));

/** Undefined where the run was stopped before its layers were chosen. */
export async function loadPlan(store: RunStore): Promise<LayerPlan | undefined> {
  const bytes = await store.read(PLAN);
  return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as LayerPlan);
}

export async function saveCalibrated(store: RunStore, { graph, facts }: Calibrated): Promise<void> {
  const { parameters, statistics } = trainableParts(graph);
  const metadata = new Map([["scconv.calibrated", JSON.stringify(facts)]]);
  await store.write(FILE, encodeSafetensors(new Map([...parameters, ...statistics]), metadata));
}

/** Undefined where the run was stopped before its calibration was done. */
export async function loadCalibrated(store: RunStore, swapped: Graph): Promise<Calibrated | undefined> {
  const bytes = await store.read(FILE);
  if (!bytes) return undefined;
  const { tensors, metadata } = decodeSafetensors(bytes, FILE);
  const text = metadata.get("scconv.calibrated");
  if (!text) throw new ScconvError("bad-input", "not a calibration of scconv", { where: FILE });
  return { graph: withInitializers(swapped, tensors), facts: JSON.parse(text) as Calibrated["facts"] };
}

/** A run is resumed under its own settings only; a new one records them. */
export async function claimRun(
  store: RunStore,
  settings: Readonly<Record<string, unknown>>,
  { resume, where }: { resume: boolean; where: string },
): Promise<void> {
  const text = `${JSON.stringify(settings, null, 2)}\n`;
  if (!resume) return store.write(SETTINGS, new TextEncoder().encode(text));
  const bytes = await store.read(SETTINGS);
  if (!bytes) throw new ScconvError("not-found", "nothing to resume here", { where });
  const old = new TextDecoder().decode(bytes);
  if (old === text) return;
  const before = JSON.parse(old) as Record<string, unknown>;
  const key = Object.keys({ ...before, ...settings }).find(
    (k) => JSON.stringify(before[k]) !== JSON.stringify(settings[k]),
  );
  throw new ScconvError("bad-setting", "the stopped run had other settings", {
    where,
    got: `${key} ${JSON.stringify(settings[key!])}`,
    need: JSON.stringify(before[key!]),
    hint: "leave --resume out to start anew",
  });
}

/** What was kept for a resume goes once the work is done; files that are not ours stay, and the folder with them. */
export async function forgetRun(folder: string): Promise<void> {
  for (const name of [
    FILE,
    SETTINGS,
    PLAN,
    REWRITTEN,
    "last.safetensors",
    "best.safetensors",
    "metrics.csv",
  ]) {
    await rm(join(folder, name), { force: true });
  }
  await rmdir(folder).catch(() => {});
}

/** A run that failed before there was anything to go on from leaves nothing behind. */
export async function forgetFruitlessRun(folder: string, report: string): Promise<void> {
  if (await stat(join(folder, FILE)).catch(() => undefined)) return;
  await forgetRun(folder);
  await rmdir(report).catch(() => {});
}
