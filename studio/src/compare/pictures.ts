import { computed, effect, signal } from "@preact/signals";
import { capabilities } from "../app/capabilities.js";
import { type Range, rangeOf, type Scale } from "../features/draw-maps.js";
import { image, raw, size } from "../features/look.js";
import { messageOf } from "../models/slot.js";
import { opened, openedSecond } from "../models/slots.js";
import type { LayerMaps, ModelFiles } from "../worker/protocol.js";
import { type Started, startWorker } from "../worker/start-worker.js";
import { compared } from "./comparison.js";
import type { SeenLayer } from "./protocol.js";

export type Pictures =
  | { readonly kind: "nothing" }
  | { readonly kind: "looking" }
  | { readonly kind: "seen"; readonly maps: readonly [LayerMaps, LayerMaps] }
  | { readonly kind: "failed"; readonly message: string };

export const pictures = signal<Pictures>({ kind: "nothing" });
export const layer = signal<string | undefined>(undefined);
export const normalize = signal<string | undefined>(undefined);
export const scale = signal<Scale>("common");
/** The first model's, as its metadata says. */
export const ownNormalize = signal<string | undefined>(undefined);
/** The view is shown: models are opened for it when there is an image, too. */
export const inSight = signal(false);

/** Layers that both have. */
export const shared = (): readonly SeenLayer[] =>
  compared.value.kind === "known" ? compared.value.comparison.seen.filter((l) => l.other) : [];

/** Of the greys, where both are drawn by one range. */
export function rangeOfBoth(maps: readonly LayerMaps[]): Range {
  const ranges = maps.map((m) => rangeOf(m.values));
  return [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
}

interface Hung {
  readonly files: readonly ModelFiles[];
  readonly workers: readonly Started[];
  readonly ready: Promise<void>;
}
let hung: Hung | undefined;
let turn = 0;

function takeDown(): void {
  turn++;
  for (const w of hung?.workers ?? []) w.stop();
  hung = undefined;
  layer.value = undefined;
  normalize.value = undefined;
  ownNormalize.value = undefined;
  pictures.value = { kind: "nothing" };
}

effect(() => {
  const files = [opened.value?.files, openedSecond.value?.files];
  if (hung?.files.some((f, i) => f !== files[i])) takeDown();
});

/** The one that is chosen, or the first convolution. */
export const asked = computed(() => {
  const layers = shared();
  const main = layers.find((l) => l.op === "Conv" || l.op === "SCConv");
  return layers.find((l) => l.name === layer.value) ?? main ?? layers[0];
});

effect(() => {
  const both = asked.value;
  const look = { image: image.value, raw: raw.value, normalize: normalize.value };
  const [one, other] = [opened.value, openedSecond.value];
  const sized = { size: one?.summary.open || other?.summary.open ? size.value : undefined };
  if (!inSight.value || !both?.other || !look.image || !one || !other) return;
  const request = { ...sized, image: look.image, raw: look.raw };
  void ask([one.files, other.files], [both.name, both.other.name], request, look.normalize);
});

function hang(files: readonly ModelFiles[]): Hung {
  const { isolated, cores } = capabilities.peek();
  const workers = [startWorker("maps of the first"), startWorker("maps of the second")];
  const ready = (async () => {
    for (const [i, { api }] of workers.entries()) {
      const { normalize: own } = await api.hang(files[i]!, isolated ? cores : 1);
      if (i === 0 && hung?.workers === workers) ownNormalize.value = own;
    }
  })();
  return { files, workers, ready };
}

/** One after the other: each has all threads. */
async function ask(
  files: readonly [ModelFiles, ModelFiles],
  layers: readonly [string, string],
  request: Omit<Parameters<Started["api"]["look"]>[0], "layer" | "normalize">,
  chosen: string | undefined,
): Promise<void> {
  const mine = ++turn;
  if (pictures.peek().kind !== "seen") pictures.value = { kind: "looking" };
  try {
    hung ??= hang(files);
    const { workers, ready } = hung;
    await ready;
    if (mine !== turn) return;
    const found: LayerMaps[] = [];
    for (const [i, { api }] of workers.entries()) {
      const normalized = chosen ?? ownNormalize.peek() ?? "none";
      found.push(await api.look({ ...request, layer: layers[i]!, normalize: normalized }));
      if (mine !== turn) return;
    }
    pictures.value = { kind: "seen", maps: [found[0]!, found[1]!] };
  } catch (error) {
    if (mine === turn) pictures.value = { kind: "failed", message: messageOf(error) };
  }
}
