import type { DataSet, Normalize } from "../data/data-set.js";
import type { ReadModel } from "../host/node/models.js";
import type { Engine } from "../runtime/session.js";
import type { Classifier } from "../train/classifier.js";
import { type Accuracy, evaluate } from "../train/evaluate.js";
import type { CommandContext } from "./command.js";

export interface AccuracyOptions {
  readonly label: string;
  readonly normalize: Normalize;
  readonly batch: number;
}

export interface TimedAccuracy extends Accuracy {
  readonly imagesPerSecond: number;
}

/** Accuracy of a file on the evaluation split, with a bar. */
export async function accuracyOf(
  engine: Engine,
  { classifier, runnable }: { classifier: Classifier; runnable: ReadModel["runnable"] },
  data: DataSet,
  { label, normalize, batch }: AccuracyOptions,
  { threads, signal, progress }: Pick<CommandContext, "threads" | "signal" | "progress">,
): Promise<TimedAccuracy> {
  // The file as it is, unless it ends in a Softmax whose logits are wanted.
  const session = await engine.open(classifier.whole ? runnable : classifier.graph, { threads });
  try {
    const phase = progress.phase(label, data.test?.length ?? 0);
    const started = performance.now();
    const result = await evaluate(session, classifier, data, {
      ...{ normalize, batch, signal },
      onBatch: (images) => phase.tick(images),
    });
    const seconds = (performance.now() - started) / 1000;
    phase.done();
    return { ...result, imagesPerSecond: result.images / seconds };
  } finally {
    await session.release();
  }
}
