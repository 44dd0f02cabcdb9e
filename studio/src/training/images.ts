import { effect, signal } from "@preact/signals";
import type { PlacedFile } from "scconv/web";
import { messageOf } from "../models/slot.js";
import { opened } from "../models/slots.js";
import { type Started, startWorker } from "../worker/start-worker.js";
import type { ImagesSummary } from "./protocol.js";

export type Images =
  | { readonly kind: "none" }
  | { readonly kind: "reading"; readonly count: number }
  | { readonly kind: "there"; readonly summary: ImagesSummary }
  | { readonly kind: "failed"; readonly message: string };

export const images = signal<Images>({ kind: "none" });
export const files = signal<readonly PlacedFile[]>([]);
/** Whether the files bring images for evaluation of their own is found out when they are read. */
export const holdOut = signal(0.2);
export const limit = signal<number | undefined>(undefined);
export const seed = signal(0);
export const normalize = signal("none");

let worker: Started | undefined;
let heldFor: unknown;
let turn = 0;

/** The worker that has the model and its images. */
export const trainingWorker = (): Started | undefined => worker;

function started(): Started {
  const made = startWorker("training");
  // One that failed answers no more: what is asked next starts another.
  made.failed.catch(() => {
    if (worker === made) dismiss();
  });
  return made;
}

/** Ends it, with all that it holds; images are read again by the next. */
export function dismiss(): void {
  turn++;
  worker?.stop();
  worker = undefined;
}

// Another model: its worker goes. Images stay, and are read for the new one.
effect(() => {
  const model = opened.value;
  if (heldFor === model?.files) return;
  heldFor = model?.files;
  dismiss();
  images.value = { kind: "none" };
  if (model) void read();
});

// What decides which images are trained on: every change of it reads them anew.
effect(() => {
  files.value;
  holdOut.value;
  limit.value;
  seed.value;
  void read();
});

export const takeImages = (found: readonly File[]): void => {
  files.value = found.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
};

export async function read(): Promise<void> {
  const model = opened.peek();
  const given = files.peek();
  if (!model || given.length === 0) return;
  const mine = ++turn;
  images.value = { kind: "reading", count: given.length };
  worker ??= started();
  try {
    const summary = await worker.api.takeImages({
      ...{ model: model.files, files: given, limit: limit.peek() },
      ...{ holdOut: holdOut.peek(), seed: seed.peek() },
    });
    if (mine !== turn) return;
    if (summary.normalize !== undefined) normalize.value = summary.normalize;
    images.value = { kind: "there", summary };
  } catch (error) {
    if (mine === turn) images.value = { kind: "failed", message: messageOf(error) };
  }
}
