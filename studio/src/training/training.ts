import { computed, effect, signal, batch as together } from "@preact/signals";
import { proxy } from "comlink";
import type { EpochMetrics } from "scconv";
import { type Backend, backends } from "../latency/measure.js";
import { messageOf } from "../models/slot.js";
import { opened } from "../models/slots.js";
import { choice, swappedCount } from "../what-if/choice.js";
import type { Started } from "../worker/start-worker.js";
import { commandLine } from "./command-line.js";
import { dismiss, images, normalize, read, seed, trainingWorker } from "./images.js";
import type { ImagesSummary, TrainingEvent, TrainingOutcome, TrainingRequest } from "./protocol.js";
import { recipeOf, settings, slimSettingsOf, tooFew } from "./settings.js";

export type Run =
  | { readonly kind: "none" }
  | { readonly kind: "running" | "paused" | "stopping" }
  | { readonly kind: "done"; readonly outcome: TrainingOutcome }
  | { readonly kind: "failed"; readonly message: string };

type EventOf<K extends TrainingEvent["kind"]> = Extract<TrainingEvent, { kind: K }>;

/** What is known of a run while it runs, and after it. */
export interface Course {
  /** Epochs that were asked for. */
  readonly planned: number;
  readonly engine: EventOf<"engine"> | undefined;
  readonly progress: EventOf<"progress"> | undefined;
  readonly step: EventOf<"step"> | undefined;
  readonly calibrated: EventOf<"calibrated"> | undefined;
  readonly epochs: readonly EpochMetrics[];
  /** Loss of each step; one list that grows, because a copy at every step would cost more than the step. */
  readonly losses: (readonly [step: number, loss: number])[];
}

const beginning = (planned = 1): Course => ({
  planned,
  ...{ engine: undefined, progress: undefined, step: undefined, calibrated: undefined },
  ...{ epochs: [], losses: [] },
});

export const run = signal<Run>({ kind: "none" });
export const course = signal<Course>(beginning());
/** What a run was begun with. */
export interface Given {
  readonly request: TrainingRequest;
  readonly images: ImagesSummary;
  /** That says the same. */
  readonly command: string;
}

/** Of the last run: the forms may say something else by now. */
export const given = signal<Given | undefined>(undefined);
export const engineId = signal<Backend["id"] | undefined>(undefined);
export const busy = computed(() => ["running", "paused", "stopping"].includes(run.value.kind));

/** Threads where there are any: a training step has many nodes that WebGPU leaves to WebAssembly. */
export const engines = computed(() => backends().filter((b) => !b.missing));
export const engine = computed(
  () =>
    engines.value.find((b) => b.id === engineId.value) ??
    engines.value.find((b) => b.id === "wasm-threads") ??
    engines.value[0]!,
);

/** Why training cannot begin. */
export const obstacle = computed(() => {
  const found = images.value;
  if (found.kind !== "there") return "Drop images above: training needs them.";
  if (swappedCount.value === 0) return "Nothing is swapped: choose convolutions under What if.";
  return tooFew(found.summary.train, settings.value);
});

// A page that is closed by mistake would take hours of work with it.
addEventListener("beforeunload", (e) => {
  if (busy.peek()) e.preventDefault();
});

let seenFor: unknown;
effect(() => {
  const model = opened.value?.files;
  if (seenFor === model) return;
  seenFor = model;
  run.value = { kind: "none" };
  course.value = beginning();
});

export async function train(): Promise<void> {
  if (!trainingWorker()) await read();
  const worker = trainingWorker();
  if (!worker || obstacle.peek()) return;
  const found = images.peek();
  if (found.kind !== "there") return;
  const { provider, threads } = engine.peek();
  const chosen = settings.peek();
  const model = opened.peek()?.files;
  const request = {
    ...{ choice: choice.peek(), provider, threads, normalize: normalize.peek(), seed: seed.peek() },
    ...{ recipe: recipeOf(chosen), settings: slimSettingsOf(chosen) },
  };
  together(() => {
    given.value = { request, images: found.summary, command: commandLine() };
    run.value = { kind: "running" };
    course.value = beginning(chosen.epochs);
  });
  const mine = () => trainingWorker() === worker && opened.peek()?.files === model;
  try {
    const heard = proxy((event: TrainingEvent) => {
      if (mine()) course.value = followed(course.peek(), event);
    });
    const outcome = await worker.api.train(request, heard);
    if (mine()) run.value = { kind: "done", outcome };
  } catch (error) {
    if (mine()) run.value = { kind: "failed", message: messageOf(error) };
  }
}

function followed(before: Course, event: TrainingEvent): Course {
  switch (event.kind) {
    case "engine":
      return { ...before, engine: event };
    case "progress":
      return { ...before, progress: event };
    case "calibrated":
      return { ...before, calibrated: event };
    case "epoch":
      return { ...before, epochs: [...before.epochs, event.metrics] };
    case "step":
      before.losses.push([event.step, event.loss]);
      return { ...before, step: event };
  }
}

/** A worker that goes before it has answered need not hear it. */
function tell(what: (worker: Started["api"]) => Promise<unknown>): void {
  const worker = trainingWorker();
  if (worker) what(worker.api).catch(() => {});
}

export function pause(): void {
  tell((worker) => worker.pause());
  run.value = { kind: "paused" };
}

export function resume(): void {
  tell((worker) => worker.resume());
  run.value = { kind: "running" };
}

/** Keeps what was reached. */
export function stop(): void {
  tell((worker) => worker.stop());
  run.value = { kind: "stopping" };
}

/** Keeps nothing, and does not wait for the step that is being computed. */
export function abandon(): void {
  dismiss();
  run.value = { kind: "failed", message: "Stopped at once: nothing is kept." };
  void read();
}
