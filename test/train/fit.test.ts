import { describe, expect, it } from "vitest";
import type { DataSet } from "../../src/data/data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import { scconvUnit } from "../../src/nn/units.js";
import type { Progress } from "../../src/runtime/progress.js";
import { type Checkpoint, decodeCheckpoint, type RunStore } from "../../src/train/checkpoint.js";
import { evaluate, evaluationGraph } from "../../src/train/evaluate.js";
import { type FitOptions, fit } from "../../src/train/fit.js";
import { cosine } from "../../src/train/schedule.js";
import { createTrainer, type Trainer } from "../../src/train/trainer.js";
import { bytesOf, memoryStore, program, sharedEngine, stateOf, tinyData, tinyNet } from "./tiny.js";

const engine = sharedEngine();
const student = tinyNet(scconvUnit());
const step = program(student);
const evaluation = evaluationGraph(student, step);
const normalize = normalizations.none;
const EPOCHS = 2;
/** Three steps an epoch. */
const data = tinyData();

async function accuracy({ state }: Trainer) {
  const session = await engine.open(evaluation);
  const feeds = new Map(["parameters", "statistics"].map((n) => [n, state.get(n)!]));
  return evaluate(session, { input: "images", output: "logits" }, data, { normalize }, feeds);
}

/** A run from the start, or from a checkpoint. */
async function run(options: Partial<FitOptions> = {}, images: DataSet = data) {
  const { resume } = options;
  const initial = resume?.state ?? stateOf(student, step);
  const trainer = await createTrainer(engine, step, initial, resume ? { steps: resume.steps } : {});
  const result = fit(trainer, images, {
    ...{ epochs: EPOCHS, schedule: cosine(0.1), normalize, augment: { pad: 1, flip: true }, seed: 5 },
    ...{ evaluate: accuracy, ...options },
  });
  return {
    trainer,
    result: await result.then(
      (value) => ({ value }),
      (error) => ({ error }),
    ),
  };
}

/** What a run leaves, but for the time that it took. */
function outcome(trainer: Trainer, history: readonly object[]) {
  const timeless = history.map((row) => ({ ...row, seconds: 0, imagesPerSecond: 0, idle: 0 }));
  return { state: bytesOf(trainer.state), steps: trainer.steps, history: timeless };
}

async function finished(options: Partial<FitOptions> = {}) {
  const { trainer, result } = await run(options);
  if ("error" in result) throw result.error;
  return outcome(trainer, result.value.history);
}

const last = async (store: RunStore): Promise<Checkpoint | undefined> => {
  const bytes = await store.read("last.safetensors");
  return bytes && decodeCheckpoint(bytes, "last.safetensors");
};

/** Signals at the `after`-th step of the run. */
function stopAfter(after: number): { progress: Progress; signal: AbortSignal } {
  const controller = new AbortController();
  let steps = 0;
  const tick = () => {
    if (++steps === after) controller.abort();
  };
  return { progress: { phase: () => ({ tick, done() {} }) }, signal: controller.signal };
}

describe("fit", () => {
  it("learns, keeps the figures of every epoch, and is the same run again", async () => {
    const seen: [number, boolean][] = [];
    const onEpoch = ({ epoch }: { epoch: number }, best: boolean) => void seen.push([epoch, best]);
    const { trainer, result } = await run({ onEpoch });
    if ("error" in result) throw result.error;
    const { history, best } = result.value;
    expect(history.map((h) => h.epoch)).toEqual([1, 2]);
    expect(history[1]!.trainLoss).toBeLessThan(history[0]!.trainLoss);
    expect(best).toBe(Math.max(...history.map((h) => h.top1)));
    expect(seen.map(([e]) => e)).toEqual([1, 2]);
    expect(seen[0]![1]).toBe(true);
    expect(trainer.steps).toBe(6);
    expect(history[1]!.learningRate).toBeCloseTo(cosine(0.1)(5, 6), 12);
    expect(await finished()).toEqual(outcome(trainer, history));
  });

  it("depends on its seed", async () => {
    expect((await finished({ seed: 6 })).state).not.toEqual((await finished()).state);
  });

  it.each([1, 2, 3, 4, 5])("stopped after step %i it resumes to the same run, bit for bit", async (after) => {
    const store = memoryStore();
    const { result } = await run({ store, ...stopAfter(after) });
    expect(result).toMatchObject({
      error: { code: "interrupted", message: expect.stringMatching(/--resume/) },
    });
    const resume = await last(store);
    expect(resume).toMatchObject({ steps: after, epoch: Math.floor(after / 3.1), batch: after % 3 || 3 });
    expect(await finished({ store, resume })).toEqual(await finished());
  });

  it("killed at any write it resumes to the same run and the same files", async () => {
    const whole = memoryStore();
    const expected = await finished({ store: whole, saveEvery: 0 });
    const files = (store: ReturnType<typeof memoryStore>) => {
      const best = decodeCheckpoint(store.files.get("best.safetensors")!, "best");
      const csv = new TextDecoder().decode(store.files.get("metrics.csv")!);
      const columns = csv.split("\n").map((line) => line.split(",").slice(0, 7).join());
      return { best: { ...bytesOf(best.state), steps: `${best.steps}` }, columns };
    };
    let killed = 0;
    for (let at = 0; ; at++) {
      let count = 0;
      const store = memoryStore(() => {
        if (count++ === at) throw new Error("the power went");
      });
      const epochs: number[] = [];
      const onEpoch = ({ epoch }: { epoch: number }) => void epochs.push(epoch);
      const { result } = await run({ store, saveEvery: 0, onEpoch });
      if (!("error" in result)) break;
      expect(result.error).toMatchObject({ message: "the power went" });
      killed++;
      const resume = await last(store);
      expect(await finished({ store, resume, saveEvery: 0, onEpoch }), `write ${at}`).toEqual(expected);
      expect(files(store), `files after write ${at}`).toEqual(files(whole));
      // Nobody was told of the last epoch only because the run was killed after it was recorded.
      expect(epochs.at(-1), `onEpoch after write ${at}`).toBe(EPOCHS);
    }
    expect(killed).toBeGreaterThan(8);
  });

  it("goes on with its steps while a state is written, and stops where that fails", async () => {
    let full = false;
    const store = memoryStore();
    const { write } = store;
    const steps: number[] = [];
    /** Steps that were done when a write began, and when it ended. */
    const writes: [number, number][] = [];
    const slow = {
      ...store,
      letsGo: true,
      async write(name: string, bytes: Uint8Array) {
        const before = steps.length;
        await new Promise((done) => setTimeout(done, 200));
        writes.push([before, steps.length]);
        if (full) throw new Error("no space left");
        await write(name, bytes.slice());
      },
    };
    const onStep = ({ step }: { step: number }) => void steps.push(step);
    const { result } = await run({ store: slow, saveEvery: 0, onStep });
    expect(result).not.toHaveProperty("error");
    expect(writes[0]).toEqual([1, 2]);
    const plain = memoryStore();
    await run({ store: plain, saveEvery: 0 });
    const stateIn = (from: typeof store) =>
      bytesOf(decodeCheckpoint(from.files.get("last.safetensors")!, "last").state);
    expect(stateIn(store)).toEqual(stateIn(plain));
    full = true;
    const failed = await run({ store: slow, saveEvery: 0, onStep });
    expect(failed.result).toMatchObject({ error: { message: "no space left" } });
  });

  it("tells at the next step that a state could not be written, and tries anew when it is stopped", async () => {
    for (const stopped of [false, true]) {
      const store = memoryStore();
      let writes = 0;
      const once = {
        ...store,
        async write(name: string, bytes: Uint8Array) {
          if (writes++ === 0) throw new Error("no space left");
          await store.write(name, bytes);
        },
      };
      const seen: number[] = [];
      const { result } = await run({
        ...{ store: once, saveEvery: 0, onStep: ({ step }: { step: number }) => void seen.push(step) },
        ...(stopped ? stopAfter(1) : {}),
      });
      expect(seen).toEqual([1]);
      const message = stopped ? expect.stringMatching(/--resume/) : "no space left";
      expect(result).toMatchObject({ error: { message } });
      expect((await last(store))?.steps).toBe(stopped ? 1 : undefined);
    }
  });

  it("keeps the last good state when training diverges", async () => {
    const store = memoryStore();
    const spoilt: DataSet = {
      ...data,
      async *batches(split, options) {
        for await (const batch of data.batches(split, options)) {
          if (split === "train" && batch.index === 2) batch.images.fill(Number.NaN);
          yield batch;
        }
      },
    };
    const { trainer, result } = await run({ store }, spoilt);
    expect(result).toMatchObject({ error: { code: "not-finite" } });
    const kept = await last(store);
    expect(kept).toMatchObject({ steps: 2, epoch: 0, batch: 2 });
    expect(bytesOf(kept!.state)).toEqual(bytesOf(trainer.state));
    expect(await finished({ resume: kept })).toEqual(await finished());
  });

  it("refuses less data than one batch", async () => {
    const { result } = await run({}, tinyData(7));
    expect(result).toMatchObject({
      error: {
        code: "bad-input",
        message: expect.stringMatching(/need at least 8 \(--batch\), got 7 images/),
      },
    });
  });

  it("does nothing more for a run that is done", async () => {
    const store = memoryStore();
    const done = await finished({ store });
    expect(await finished({ store, resume: await last(store) })).toEqual(done);
  });
});
