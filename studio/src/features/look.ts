import { effect, signal } from "@preact/signals";
import { capabilities } from "../app/capabilities.js";
import { messageOf } from "../models/slot.js";
import { opened } from "../models/slots.js";
import type { LayerMaps } from "../worker/protocol.js";
import { type Started, startWorker } from "../worker/start-worker.js";

export type Looked =
  | { readonly kind: "nothing" }
  | { readonly kind: "looking" }
  | { readonly kind: "seen"; readonly maps: LayerMaps }
  | { readonly kind: "failed"; readonly message: string };

export const image = signal<File | undefined>(undefined);
export const layers = signal<readonly { name: string; op: string }[]>([]);
export const layer = signal<string | undefined>(undefined);
export const normalize = signal("none");
/** Whether the model itself says how it wants its images. */
export const normalizeIsOwn = signal(false);
export const size = signal(224);
export const raw = signal(false);
export const looked = signal<Looked>({ kind: "nothing" });

export const showImage = (file: File): void => {
  image.value = file;
};

let worker: Started | undefined;
let hungFor: unknown;
let turn = 0;

// Another model: its worker goes, with the engine and the weights that it holds.
effect(() => {
  const model = opened.value;
  if (hungFor === undefined || hungFor === model?.files) return;
  hungFor = undefined;
  turn++;
  worker?.stop();
  worker = undefined;
  layers.value = [];
  layer.value = undefined;
  looked.value = { kind: "nothing" };
});

/** Opens the model for looking at it: when the view is first shown, because it takes the engine's start. */
export async function hang(): Promise<void> {
  const model = opened.peek();
  if (!model || hungFor === model.files) return;
  hungFor = model.files;
  worker = startWorker("feature maps");
  try {
    const threads = capabilities.peek().isolated ? capabilities.peek().cores : 1;
    const hung = await worker.api.hang(model.files, threads);
    if (hungFor !== model.files) return;
    normalize.value = hung.normalize ?? "none";
    normalizeIsOwn.value = hung.normalize !== undefined;
    layers.value = hung.layers;
    layer.value = hung.layers.find((l) => l.op === "Conv" || l.op === "SCConv")?.name ?? hung.layers[0]?.name;
  } catch (error) {
    if (hungFor === model.files) looked.value = { kind: "failed", message: messageOf(error) };
  }
}

// Every change of what is asked for is a new question; only the answer to the last one is shown.
effect(() => {
  const asked = { image: image.value, layer: layer.value, normalize: normalize.value, raw: raw.value };
  const own = opened.value?.summary.open ? size.value : undefined;
  if (asked.image && asked.layer !== undefined && worker) {
    void ask({ ...asked, image: asked.image, layer: asked.layer, size: own });
  }
});

async function ask(request: Parameters<Started["api"]["look"]>[0]): Promise<void> {
  const mine = ++turn;
  const { api } = worker!;
  if (looked.peek().kind !== "seen") looked.value = { kind: "looking" };
  try {
    const maps = await api.look(request);
    if (mine === turn) looked.value = { kind: "seen", maps };
  } catch (error) {
    if (mine === turn) looked.value = { kind: "failed", message: messageOf(error) };
  }
}
