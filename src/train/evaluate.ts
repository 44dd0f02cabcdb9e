import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { DataSet, Normalize } from "../data/data-set.js";
import { inline } from "../graph/inline.js";
import type { Graph } from "../graph/ir.js";
import { jointOpsets } from "../graph/opsets.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import type { Session } from "../runtime/session.js";
import { unpackValues } from "./flat.js";
import { imageInput, type StepProgram } from "./step.js";

export interface Accuracy {
  /** Per cent. */
  readonly top1: number;
  readonly top5: number;
  /** Mean cross entropy. */
  readonly loss: number;
  readonly images: number;
}

/** Adds up hits and losses over batches of logits. */
export class AccuracyMeter {
  #top1 = 0;
  #top5 = 0;
  #loss = 0;
  #images = 0;

  /** Logits (N, K) of `labels.length` images; extra rows (padding of a fixed batch) are ignored. */
  add(logits: Float32Array, classes: number, labels: Int32Array): void {
    for (let i = 0; i < labels.length; i++) {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const own = row[labels[i]!]!;
      let above = 0;
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < classes; k++) {
        // Written so that what is not a number is never below: a broken network has no hits.
        if (!(row[k]! < own || (row[k]! === own && k >= labels[i]!))) above++;
        top = Math.max(top, row[k]!);
      }
      let sum = 0;
      for (let k = 0; k < classes; k++) sum += Math.exp(row[k]! - top);
      if (above === 0) this.#top1++;
      if (above < 5) this.#top5++;
      this.#loss += top + Math.log(sum) - own;
      this.#images++;
    }
  }

  get result(): Accuracy {
    const n = Math.max(1, this.#images);
    return {
      top1: (100 * this.#top1) / n,
      top5: (100 * this.#top5) / n,
      loss: this.#loss / n,
      images: this.#images,
    };
  }
}

export interface EvaluateOptions {
  readonly normalize: Normalize;
  readonly batch?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBatch?: (images: number) => void;
}

/**
 * Accuracy of a classifier on the evaluation split. `session` takes images as `input` and gives logits as `output`
 * (N, K); `feeds` are further inputs that stay the same. Fails when a label has no logit.
 */
export async function evaluate(
  session: Session,
  { input, output, fixedBatch }: { input: string; output: string; fixedBatch?: number | undefined },
  data: DataSet,
  { normalize, batch = 250, signal, onBatch }: EvaluateOptions,
  feeds: ReadonlyMap<string, Tensor> = new Map(),
): Promise<Accuracy> {
  if (!data.test)
    throw new ScconvError("bad-input", "the data has no evaluation split", { where: data.source });
  const meter = new AccuracyMeter();
  const size = fixedBatch ?? batch;
  const options = { batchSize: size, normalize, ...(signal ? { signal } : {}) };
  for await (const { images, labels, count } of data.batches("test", options)) {
    const dims = [fixedBatch ?? count, data.channels, data.height, data.width];
    const whole = fixedBatch && count < fixedBatch ? padded(images, fixedBatch, count) : images;
    const results = await session.run(new Map([...feeds, [input, Tensor.of("float32", dims, whole)]]));
    const logits = results.get(output)!;
    const classes = logits.dims[1]!;
    checkLabels(labels, classes, data);
    meter.add(logits.data as Float32Array, classes, labels);
    onBatch?.(meter.result.images);
  }
  signal?.throwIfAborted();
  return meter.result;
}

function padded(images: Float32Array, to: number, count: number): Float32Array {
  const all = new Float32Array((images.length / count) * to);
  all.set(images);
  return all;
}

/** 11 classes do not fit 10 outputs; the first label that shows it names both numbers. */
export function checkLabels(labels: Int32Array, classes: number, data: DataSet): void {
  const worst = labels.reduce((a, b) => Math.max(a, b), 0);
  if (worst < classes && data.classes.length <= classes) return;
  throw new ScconvError("bad-input", "the data has more classes than the model has outputs", {
    where: data.source,
    got: `${Math.max(worst + 1, data.classes.length)} classes`,
    need: `at most ${classes}`,
  });
}

/** The inference graph of a model in training: parameters and statistics are inputs, so one session serves every epoch. */
export function evaluationGraph(student: Graph, program: StepProgram): Graph {
  const b = graphBuilder({ name: `${student.name}.eval`, opsets: jointOpsets([student]) });
  const name = imageInput(student);
  const shape = student.inputs.find((i) => i.name === name)!.type!.shape!;
  const images = b.input("images", "float32", ["N", ...shape.slice(1)]);
  const values = unpackValues(
    program.parameters,
    b.input("parameters", "float32", [program.parameters.size]),
  );
  if (program.statistics.size > 0) {
    const running = b.input("statistics", "float32", [program.statistics.size]);
    for (const [n, v] of unpackValues(program.statistics, running)) values.set(n, v);
  }
  const all = inline(b, student, { prefix: "student.", substitute: new Map([[name, images], ...values]) });
  b.output(all.get(student.outputs[0]!.name)!, "logits");
  return lower(b.build());
}
