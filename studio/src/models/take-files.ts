import type { ModelFiles } from "../worker/protocol.js";
import type { Slot } from "./slot.js";

export interface Sorted {
  readonly models: readonly File[];
  readonly images: readonly File[];
  readonly shards: readonly File[];
  readonly others: readonly File[];
}

const image = /\.(jpe?g|png|webp|gif|bmp|avif)$/i;

/** By their names: what is in them is found out when they are read. */
export function sortFiles(files: readonly File[]): Sorted {
  const is = (test: RegExp) => files.filter((f) => test.test(f.name));
  const known = /\.(onnx|tar)$/i;
  return {
    models: is(/\.onnx$/i),
    images: is(image),
    shards: is(/\.tar$/i),
    others: files.filter((f) => !known.test(f.name) && !image.test(f.name)),
  };
}

/**
 * A model for a slot: with the other files as its weights; without a model among them, the files are the weights of the one
 * that waits for them. Undefined where there is neither.
 */
export function modelFor(slot: Slot, { models, others }: Sorted): ModelFiles | undefined {
  const [model] = models;
  if (model) return { model, external: others };
  const state = slot.state.value;
  if (others.length === 0) return undefined;
  // A model that is open has its weights, and one that was refused for something else will not be mended by them.
  const wanting = state.kind === "failed" && state.message.includes("external data");
  if (state.kind !== "opening" && !wanting) return undefined;
  const { files } = state;
  const named = new Set(others.map((f) => f.name));
  return { model: files.model, external: [...files.external.filter((f) => !named.has(f.name)), ...others] };
}
