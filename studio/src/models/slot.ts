import { signal } from "@preact/signals";
import type { ModelFiles, ModelSummary, Presets } from "../worker/protocol.js";
import { type Started, startWorker } from "../worker/start-worker.js";

export type SlotState =
  | { readonly kind: "empty" }
  | { readonly kind: "opening"; readonly files: ModelFiles }
  | { readonly kind: "failed"; readonly files: ModelFiles; readonly message: string }
  | { readonly kind: "open"; readonly files: ModelFiles; readonly summary: ModelSummary };

/** A place for one model, with the worker that holds it. */
export function createSlot(name: string) {
  const state = signal<SlotState>({ kind: "empty" });
  const presets = signal<Presets | undefined>(undefined);
  let worker: Started | undefined;
  let turn = 0;

  async function open(files: ModelFiles, size?: number): Promise<void> {
    const mine = ++turn;
    // A worker that is still at an earlier file would answer after it; memory goes with it, too.
    if (state.value.kind === "opening" || size === undefined) close();
    turn = mine;
    worker ??= startWorker(name);
    const { api } = worker;
    state.value = { kind: "opening", files };
    try {
      const summary = await api.open(files, size);
      if (mine === turn) state.value = { kind: "open", files, summary };
    } catch (error) {
      if (mine === turn) state.value = { kind: "failed", files, message: messageOf(error) };
      return;
    }
    // The table is there; what a swap could choose from is worked out behind it.
    const found = await api.presets().catch(() => ({ all: [], second: [] }));
    if (mine === turn) presets.value = found;
  }

  function close(): void {
    turn++;
    worker?.stop();
    worker = undefined;
    presets.value = undefined;
    state.value = { kind: "empty" };
  }

  return {
    state,
    presets,
    open,
    close,
    /** Of an open model. */
    get api() {
      if (!worker) throw new Error("no model is open");
      return worker.api;
    },
  };
}

export type Slot = ReturnType<typeof createSlot>;

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
