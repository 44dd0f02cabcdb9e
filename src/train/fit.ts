import { ScconvError } from "../base/errors.js";
import type { Augment, BatchOptions, DataSet, Normalize } from "../data/data-set.js";
import type { Progress } from "../runtime/progress.js";
import {
  type Checkpoint,
  type EpochMetrics,
  encodeCheckpoint,
  metricsCsv,
  type RunStore,
} from "./checkpoint.js";
import type { Accuracy } from "./evaluate.js";
import type { EventLog } from "./event-log.js";
import type { Schedule } from "./schedule.js";
import type { Trainer } from "./trainer.js";

export interface FitOptions {
  readonly epochs: number;
  readonly schedule: Schedule;
  readonly normalize: Normalize;
  readonly augment?: Augment | undefined;
  /** Default: over the whole split. */
  readonly shuffle?: BatchOptions["shuffle"] | undefined;
  readonly seed: number;
  /** Accuracy of the current state. */
  readonly evaluate: (trainer: Trainer) => Promise<Accuracy>;
  readonly store?: RunStore | undefined;
  /** Saves in the middle of an epoch, too, when this many seconds have passed. */
  readonly saveEvery?: number | undefined;
  readonly resume?: Checkpoint | undefined;
  readonly onStep?: ((step: StepMetrics) => void) | undefined;
  readonly onEpoch?: (metrics: EpochMetrics, best: boolean, trainer: Trainer) => Promise<void> | void;
  /** Figures of every 50th step, and of every epoch. */
  readonly log?: EventLog | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Of one step. */
export interface StepMetrics {
  /** Steps done, of all. */
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  readonly learningRate: number;
}

export interface FitResult {
  readonly history: readonly EpochMetrics[];
  readonly best: number;
  readonly seconds: number;
}

/** Steps from one log entry to the next. */
const LOG_EVERY = 50;

/**
 * Trains for a number of epochs. With a store, `best.safetensors` is written after an epoch that was the best so far,
 * `metrics.csv` after every epoch, and `last.safetensors` then and every `saveEvery` seconds. On abort the
 * state is saved and an `interrupted` error thrown; a loss that is not finite leaves the last good state saved.
 */
export async function fit(trainer: Trainer, data: DataSet, options: FitOptions): Promise<FitResult> {
  const {
    epochs,
    schedule,
    normalize,
    augment,
    seed,
    evaluate,
    store,
    saveEvery = 60,
    resume,
    signal,
  } = options;
  const { batch } = trainer.program;
  const perEpoch = Math.floor((data.train?.length ?? 0) / batch);
  if (perEpoch === 0) {
    throw new ScconvError("bad-input", "fewer training images than one batch", {
      where: data.source,
      got: `${data.train?.length ?? 0} images`,
      need: `at least ${batch} (--batch)`,
    });
  }
  const total = perEpoch * epochs;
  const history = [...(resume?.history ?? [])];
  let best = resume?.best ?? Number.NEGATIVE_INFINITY;
  let sums = { loss: 0, correct: 0, steps: 0, ...resume?.sums };
  let from = resume?.batch ?? 0;
  const before = resume?.seconds ?? 0;
  const started = performance.now();
  const elapsed = () => before + (performance.now() - started) / 1000;
  let saved = performance.now();

  let memory = new Uint8Array();
  /** The memory of the state before: to have 200 MB from the system takes longer than to fill them. */
  const room = (bytes: number) => {
    // The record beside the state grows with every epoch.
    if (memory.byteLength < bytes) memory = new Uint8Array(bytes + 2 ** 20);
    return memory.subarray(0, bytes);
  };
  /** What is being written beside the steps: one file at a time, waited for wherever it has to be there. */
  let writing: Promise<void> | undefined;
  /** Why the last one was not written. */
  let failure: unknown;
  const save = async (epoch: number, next: number, name = "last.safetensors") => {
    const checkpoint = {
      state: trainer.state,
      steps: trainer.steps,
      epoch,
      batch: next,
      sums,
      best,
      seconds: elapsed(),
      history,
    };
    await writing;
    failure = undefined;
    const bytes = store && encodeCheckpoint(checkpoint, store.letsGo ? room : undefined);
    writing = bytes && store.write(name, bytes).catch((cause) => (failure = cause));
    saved = performance.now();
  };
  const refuseFailed = () => {
    if (failure !== undefined) throw failure;
  };
  const written = async () => {
    await writing;
    refuseFailed();
  };
  const saveWhole = async (...what: Parameters<typeof save>) => {
    await save(...what);
    await written();
  };

  for (let epoch = resume?.epoch ?? 0; epoch < epochs; epoch++) {
    const bar = options.progress?.phase(`epoch ${epoch + 1}/${epochs}`, perEpoch * batch);
    const epochStart = performance.now();
    const seen = perEpoch - from;
    let stepping = 0;
    try {
      const order = {
        batchSize: batch,
        normalize,
        shuffle: options.shuffle ?? true,
        seed,
        epoch,
        dropLast: true,
        from,
      };
      const extra = { ...(augment ? { augment } : {}), ...(signal ? { signal } : {}) };
      for await (const { index, images, labels } of data.batches("train", { ...order, ...extra })) {
        signal?.throwIfAborted();
        refuseFailed();
        const rate = schedule(trainer.steps, total);
        const stepStart = performance.now();
        const { figures } = await trainer.step(images, labels, rate);
        stepping += (performance.now() - stepStart) / 1000;
        const loss = figures.get("loss")!;
        sums.loss += loss;
        sums.correct += figures.get("correct") ?? 0;
        sums.steps++;
        from = index + 1;
        options.onStep?.({ step: trainer.steps, steps: total, loss, learningRate: rate });
        if (trainer.steps % LOG_EVERY === 0) {
          await options.log?.scalars(trainer.steps, {
            ...{ "train/loss": loss, "train/learning_rate": rate },
            "train/gradient_norm": figures.get("gradient_norm")!,
          });
        }
        bar?.tick(from * batch, `loss ${(sums.loss / sums.steps).toFixed(3)}`);
        if (store && performance.now() - saved > saveEvery * 1000) {
          await written();
          await save(epoch, from);
        }
      }
      signal?.throwIfAborted();
      await written();
    } catch (error) {
      bar?.done();
      const stopped = signal?.aborted || (error instanceof ScconvError && error.code === "not-finite");
      if (stopped && store) await saveWhole(epoch, from);
      if (signal?.aborted) {
        throw new ScconvError(
          "interrupted",
          "stopped",
          store ? { hint: "the state is kept; resume with --resume" } : {},
        );
      }
      throw error;
    }
    const seconds = (performance.now() - epochStart) / 1000;
    const accuracy = await evaluate(trainer);
    const metrics: EpochMetrics = {
      epoch: epoch + 1,
      learningRate: schedule(trainer.steps - 1, total),
      trainLoss: sums.loss / sums.steps,
      trainTop1: (100 * sums.correct) / (sums.steps * batch),
      top1: accuracy.top1,
      top5: accuracy.top5,
      loss: accuracy.loss,
      seconds,
      imagesPerSecond: (seen * batch) / seconds,
      idle: 1 - stepping / seconds,
    };
    history.push(metrics);
    await options.log?.scalars(trainer.steps, epochScalars(metrics));
    const improved = accuracy.top1 > best;
    if (improved) best = accuracy.top1;
    sums = { loss: 0, correct: 0, steps: 0 };
    from = 0;
    bar?.done(
      `top-1 ${accuracy.top1.toFixed(2)} %, loss ${metrics.trainLoss.toFixed(3)}, ${metrics.imagesPerSecond.toFixed(0)} images/s`,
    );
    if (improved) await saveWhole(epoch + 1, 0, "best.safetensors");
    await store?.write("metrics.csv", new TextEncoder().encode(metricsCsv(history)));
    await options.onEpoch?.(metrics, improved, trainer);
    // Last of all: a run that is killed before this does the end of the epoch again, with all that it leaves.
    await saveWhole(epoch + 1, 0);
  }
  return { history, best, seconds: elapsed() };
}

const epochScalars = (m: EpochMetrics) => ({
  ...{ "epoch/train_loss": m.trainLoss, "epoch/train_top1": m.trainTop1 },
  ...{ "epoch/learning_rate": m.learningRate, "epoch/images_per_second": m.imagesPerSecond },
  "epoch/idle": m.idle,
  ...{ "eval/loss": m.loss, "eval/top1": m.top1, "eval/top5": m.top5 },
});
