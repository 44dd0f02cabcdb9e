import { batch, effect, signal } from "@preact/signals";
import { proxy } from "comlink";
import type { WebProvider } from "scconv/web";
import { capabilities } from "../app/capabilities.js";
import { secondIsSwap } from "../compare/comparison.js";
import { messageOf } from "../models/slot.js";
import { first, opened, openedSecond } from "../models/slots.js";
import { choice, swappedCount } from "../what-if/choice.js";
import type { ModelFiles, Timing } from "../worker/protocol.js";
import { startWorker } from "../worker/start-worker.js";

export interface Backend {
  readonly id: "wasm" | "wasm-threads" | "webgpu";
  readonly title: string;
  readonly provider: WebProvider;
  readonly threads: number;
  /** Why this browser does not have it. */
  readonly missing: string | undefined;
}

export function backends(): readonly Backend[] {
  const { isolated, cores, webgpu } = capabilities.value;
  return [
    { id: "wasm", title: "wasm, 1 thread", provider: "wasm", threads: 1, missing: undefined },
    {
      ...{ id: "wasm-threads", title: `wasm, ${cores} threads`, provider: "wasm", threads: cores },
      missing: !isolated
        ? "the page is not cross-origin isolated"
        : cores < 2
          ? "this machine has one core"
          : undefined,
    },
    {
      ...{ id: "webgpu", title: "WebGPU", provider: "webgpu", threads: 1 },
      missing: webgpu.adapter ? undefined : (webgpu.why ?? "no adapter"),
    },
  ];
}

export type Measured =
  | { readonly kind: "waiting" }
  | { readonly kind: "running"; readonly done: number; readonly rounds: number }
  | { readonly kind: "done"; readonly timing: Timing }
  | { readonly kind: "failed"; readonly message: string };

export const results = signal<ReadonlyMap<Backend["id"], Measured>>(new Map());
export const running = signal(false);
let stopNow: (() => void) | undefined;

// Another model: what was measured is not of it.
let measuredFor: unknown;
effect(() => {
  const files = opened.value?.files;
  if (files === measuredFor) return;
  measuredFor = files;
  stopNow?.();
  results.value = new Map();
});

export interface Settings {
  readonly backends: readonly Backend[];
  readonly rounds: number;
  readonly batch: number;
  readonly size: number | undefined;
}

/** One backend after the other, each in a worker of its own: an engine has one number of threads, and what it took goes with it. */
export async function measure({ backends: asked, rounds, batch: images, size }: Settings): Promise<void> {
  const model = opened.peek()?.files;
  const set = (id: Backend["id"], measured: Measured) => {
    if (opened.peek()?.files === model) results.value = new Map(results.value).set(id, measured);
  };
  let stopped = false;
  batch(() => {
    running.value = true;
    results.value = new Map(asked.map((b) => [b.id, { kind: "waiting" }]));
  });
  try {
    const models = await modelsToTime();
    for (const { id, provider, threads } of asked) {
      if (stopped) break;
      set(id, { kind: "running", done: 0, rounds });
      const worker = startWorker(`latency ${id}`);
      stopNow = () => {
        stopped = true;
        worker.stop();
      };
      try {
        const request = { models, provider, threads, batch: images, size, rounds };
        const onRound = proxy((done: number) => set(id, { kind: "running", done, rounds }));
        const timing = await worker.api.time(request, onRound);
        set(id, { kind: "done", timing });
      } catch (error) {
        set(id, { kind: "failed", message: messageOf(error) });
      } finally {
        worker.stop();
      }
    }
  } catch (error) {
    for (const { id } of asked) set(id, { kind: "failed", message: messageOf(error) });
  } finally {
    running.value = false;
    stopNow = undefined;
  }
}

export const stopMeasuring = (): void => stopNow?.();

/**
 * The model, the same with the swap of "What if" and, for what their rewrites gain is no gain of the swap, rewritten without any; and the
 * one that it is compared with.
 */
async function modelsToTime(): Promise<readonly { name: string; files: ModelFiles }[]> {
  const model = opened.peek()!;
  const models = [{ name: model.summary.name, files: model.files }];
  if (swappedCount.peek() > 0) {
    const fileOf = (bytes: Uint8Array<ArrayBuffer>, name: string): ModelFiles => ({
      ...{ model: new File([bytes], name), external: [] },
    });
    const swapped = fileOf(await first.api.deployed(choice.peek()), "swapped.onnx");
    models.push(
      { name: "rewritten, nothing swapped", files: fileOf(await first.api.rewritten(), "rewritten.onnx") },
      { name: `with ${swappedCount.peek()} × SCConv`, files: swapped },
    );
  }
  const other = openedSecond.peek();
  if (other && !secondIsSwap.peek()) models.push({ name: other.summary.name, files: other.files });
  return models;
}
