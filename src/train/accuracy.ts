import type { DataSet, Normalize } from "../data/data-set.js";
import type { Graph } from "../graph/ir.js";
import type { Progress } from "../runtime/progress.js";
import type { Engine } from "../runtime/session.js";
import type { Classifier } from "./classifier.js";
import { type Accuracy, evaluate } from "./evaluate.js";

export interface AccuracyOptions {
  readonly label: string;
  readonly normalize: Normalize;
  readonly batch: number;
}

export interface AccuracyContext {
  readonly threads?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TimedAccuracy extends Accuracy {
  readonly imagesPerSecond: number;
}

/** Accuracy of a file on the evaluation split, with a bar. */
export async function accuracyOf(
  engine: Engine,
  { classifier, runnable }: { classifier: Classifier; runnable: Uint8Array | string | Graph },
  data: DataSet,
  { label, normalize, batch }: AccuracyOptions,
  { threads, signal, progress }: AccuracyContext,
): Promise<TimedAccuracy> {
  // The file as it is, unless it ends in a Softmax whose logits are wanted.
  const session = await engine.open(classifier.whole ? runnable : classifier.graph, { threads });
  try {
    const phase = progress?.phase(label, data.test?.length ?? 0);
    const started = performance.now();
    const result = await evaluate(session, classifier, data, {
      ...{ normalize, batch, signal },
      onBatch: (images) => phase?.tick(images),
    });
    const seconds = (performance.now() - started) / 1000;
    phase?.done();
    return { ...result, imagesPerSecond: result.images / seconds };
  } finally {
    await session.release();
  }
}
