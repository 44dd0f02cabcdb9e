import { ScconvError } from "../base/errors.js";
import { differentiate } from "../grad/differentiate.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import { inline } from "../graph/inline.js";
import type { Graph, Node } from "../graph/ir.js";
import { jointOpsets } from "../graph/opsets.js";
import { prune } from "../graph/walk.js";
import { add, concat, mul } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { onePassComparisons } from "../optimise/one-pass-comparisons.js";
import { averageKeep, KEEP } from "./average.js";
import { batchNorms } from "./batch-norms.js";
import { type FlatLayout, flatLayout, unpackValues } from "./flat.js";
import { CORRECT, classificationLoss, correct, type LossSettings } from "./loss.js";
import { type Mixed, type MixupSettings, mixBatch, mixupShare } from "./mixup.js";
import type { Optimizer } from "./optimizer.js";
import { isBatchNorm, type TrainableParts, trainableParts } from "./parts.js";
import { type Recomputed, recomputedSegments } from "./recomputed-segments.js";
import { type Segment, segmentInputs, segmentsOf, segmentVectors } from "./segments.js";
import { emitUpdate, GRADIENT_SUM, updateGraph } from "./update.js";

/*
 * A training step is one graph. In: the batch, the labels, all parameters as one vector, the optimizer's vectors, the
 * running statistics as one vector, the learning rate. Out: the same vectors after the step, and the figures. The host
 * only carries vectors from the outputs back to the inputs.
 *
 * With gradient accumulation the graph is for one micro-batch: it adds its share of the gradient to a sum, and the update
 * is a second, small graph.
 */

export interface StepProgram {
  readonly graph: Graph;
  /** Runs after every `accumulate` runs of `graph`, where these are more than one. */
  readonly update: Graph | undefined;
  readonly accumulate: number;
  readonly parameters: FlatLayout;
  /** The parts in which vectors as long as the parameters go in and come out. */
  readonly segments: readonly Segment[];
  readonly statistics: FlatLayout;
  readonly optimizer: Optimizer;
  /** Numbers that a step gives: `loss`, `gradient_norm`, `correct` and what the objective adds. */
  readonly figures: readonly string[];
  /** Scalar inputs beside the learning rate, as functions of the update (from 1) and the micro-batch in it (from 0). */
  readonly scalars: Readonly<Record<string, ScalarSchedule>>;
  /** Images of one update. */
  readonly batch: number;
  /** Whether an average of the weights is kept. */
  readonly average: boolean;
}

export type ScalarSchedule = (step: number, micro: number) => number;

/** What the student's graph looks like in training: its values by name, for the objective. */
export interface Traced {
  readonly b: GraphBuilder;
  readonly images: Value;
  readonly labels: Value;
  /** What the images were mixed with, in training with mixup. */
  readonly mixed: Mixed | undefined;
  readonly student: ReadonlyMap<string, Value>;
  readonly teacher: ReadonlyMap<string, Value> | undefined;
  readonly scalars: Readonly<Record<string, Value>>;
}

export interface Objective {
  readonly loss: Value;
  readonly figures?: Readonly<Record<string, Value>>;
}

export interface StepOptions {
  readonly student: Graph;
  /** Runs with constant weights on the same images. */
  readonly teacher?: Graph | undefined;
  /** Images of one update. */
  readonly batch: number;
  /** Micro-batches that `batch` is cut into (default 1): memory of one, and batch norms see only one at a time. */
  readonly accumulate?: number | undefined;
  readonly mixup?: MixupSettings | undefined;
  /** Keeps an exponential moving average of the weights: the share of the old that it keeps at each update. */
  readonly average?: number | undefined;
  readonly optimizer: Optimizer;
  readonly objective: (traced: Traced) => Objective;
  /** Which parameters are trained; default all. */
  readonly trained?: (name: string) => boolean;
  /** Learning rate of a parameter, as a multiple. */
  readonly rate?: (name: string) => number;
  /** Share of the old value that a running statistic keeps at each step. */
  readonly momentum?: number;
  /** Sees the outputs of the student's nodes as they are built; what it returns is what later nodes read. */
  readonly after?: (node: Node, outputs: readonly Value[], traced: BeforeStudent) => readonly Value[];
  /** What of the forward pass is made again in the backward pass, and not kept: less memory, the same numbers but for rounding, more work. */
  readonly recompute?: Recomputed | undefined;
  /** Elements from which a tensor is a segment of its own (segments.ts). */
  readonly ownSegment?: number | undefined;
  /** Further scalar inputs. */
  readonly scalars?: Readonly<Record<string, ScalarSchedule>>;
}

/** What there is before the student's first node. */
export type BeforeStudent = Pick<Traced, "teacher" | "scalars">;

/** Builds the step graph. `student` and `teacher` are inference graphs with one image input, sizes bound to numbers. */
export function buildStep(options: StepOptions): StepProgram {
  const { student, teacher, batch, optimizer, objective, trained = () => true, momentum = 0.9 } = options;
  const { accumulate = 1, mixup, average, rate } = options;
  if (batch % accumulate !== 0) {
    throw new ScconvError("bad-setting", "the batch cannot be cut into equal parts", {
      got: `${batch} images into ${accumulate}`,
      need: "a divisor of the batch",
    });
  }
  const b = graphBuilder({ name: `${student.name}.step`, opsets: jointOpsets([student, teacher]) });
  const micro = batch / accumulate;
  const input = b.input("images", "float32", inputShape(student, micro));
  const labels = b.input("labels", "int32", [micro]);
  const inputs = (names: Iterable<string>) =>
    Object.fromEntries(Array.from(names, (name) => [name, b.input(name, "float32", [])]));
  const forUpdate: Record<string, ScalarSchedule> = {
    ...optimizer.scalars,
    ...(average === undefined ? {} : { [KEEP]: averageKeep(average) }),
  };
  const scalars = inputs(Object.keys(options.scalars ?? {}));
  const mix = mixup && mixBatch(input, labels, b.input("mixup_share", "float32", []));
  const images = mix?.images ?? input;

  const all = trainableParts(student);
  const parts: TrainableParts = {
    parameters: new Map([...all.parameters].filter(([name]) => trained(name))),
    statistics: new Map([...all.statistics].filter(([name]) => trained(name))),
  };
  const parameters = flatLayout([...parts.parameters].map(([n, t]) => [n, t.dims]));
  const statistics = flatLayout([...parts.statistics].map(([n, t]) => [n, t.dims]));
  if (parameters.size === 0) throw new ScconvError("bad-input", "the model has nothing to train");
  const segments = segmentsOf(parameters, options.ownSegment);
  const vectors = segmentInputs(b, "parameters", segments);
  const values = new Map(segments.flatMap(({ layout }, i) => [...unpackValues(layout, vectors[i]!)]));
  const runningVector = statistics.size > 0 ? b.input("statistics", "float32", [statistics.size]) : undefined;
  const running = runningVector && unpackValues(statistics, runningVector);

  const batchStatistics = new Map<string, Value>();
  const theirs =
    teacher &&
    inline(b, teacher, { substitute: new Map([[imageInput(teacher), images]]), prefix: "teacher." });
  const before: BeforeStudent = { teacher: theirs, scalars };
  const { after } = options;
  const begin = b.nodes.length;
  const norms = batchNorms(b, student);
  // Under a prefix: a value of the student may be called `loss` or `labels`, or as a constant of the builder's own.
  const ours = inline(b, student, {
    prefix: "student.",
    substitute: new Map([[imageInput(student), images], ...values, ...(running ?? [])]),
    emit: (node, inputs) => {
      if (!isBatchNorm(node) || !parts.statistics.has(node.inputs[3]!)) return undefined;
      const [y, mean, variance] = norms.emit(node, inputs as Value[]);
      batchStatistics.set(node.inputs[3]!, mean!);
      batchStatistics.set(node.inputs[4]!, variance!);
      return [y!];
    },
    after: after && ((node, outputs) => after(node, outputs, before)),
  });
  const forward = b.nodes.slice(begin).filter((node) => !norms.replaced.has(node));
  const segmented = options.recompute
    ? recomputedSegments(b, forward, { entered: [images.name], what: options.recompute })
    : undefined;
  const traced: Traced = { b, images, labels, mixed: mix?.mixed, student: ours, ...before };

  const { loss, figures = {} } = objective(traced);
  const gradients = differentiate(
    b,
    loss,
    parameters.entries.map((e) => values.get(e.name)!),
    { segmentOf: segmented && ((node) => segmented.get(node)) },
  );
  const gradient = segmentVectors(b, parameters, segments, gradients);
  let following: Value | undefined;
  if (runningVector) {
    const seen = concat(
      statistics.entries.map((e) => batchStatistics.get(e.name)!),
      0,
    );
    following = add(mul(runningVector, momentum), mul(seen, 1 - momentum));
    b.output(following, "next.statistics");
  }
  const settings = { segments, statistics, optimizer, rate, average: average !== undefined };
  if (accumulate === 1) {
    emitUpdate(b, settings, {
      ...{ parameters: vectors, gradient, statistics: following, scalars: inputs(Object.keys(forUpdate)) },
    });
  } else {
    segmentInputs(b, GRADIENT_SUM, segments).forEach((sum, i) => {
      b.output(add(sum, mul(gradient[i]!, 1 / accumulate)), `next.${GRADIENT_SUM}${segments[i]!.suffix}`);
    });
  }
  b.output(loss, "loss");
  for (const [name, value] of Object.entries(figures)) b.output(value, name);
  return {
    graph: prune(onePassComparisons(lower(b.build()))),
    update:
      accumulate === 1 ? undefined : updateGraph(`${student.name}.update`, settings, Object.keys(forUpdate)),
    ...{ accumulate, parameters, segments, statistics, optimizer, batch, average: settings.average },
    figures: ["loss", "gradient_norm", ...Object.keys(figures)],
    scalars: {
      ...forUpdate,
      ...options.scalars,
      ...(mixup ? { mixup_share: mixupShare(mixup) } : {}),
    },
  };
}

/** Cross entropy, and distillation where there is a teacher; also counts the hits. */
export const classification =
  (student: Graph, teacher: Graph | undefined, settings: LossSettings) =>
  ({ student: s, teacher: t, labels, mixed }: Traced): Objective => {
    const logits = s.get(student.outputs[0]!.name)!;
    const theirs = teacher && t?.get(teacher.outputs[0]!.name);
    return {
      loss: classificationLoss(logits, labels, theirs, settings, mixed),
      figures: { [CORRECT]: correct(logits, labels, mixed) },
    };
  };

/** The name of the one image input. */
export function imageInput(graph: Graph): string {
  const inputs = graph.inputs.filter((i) => !graph.initializers.has(i.name));
  const [input] = inputs;
  if (!input || inputs.length !== 1 || input.type?.shape?.length !== 4 || input.type.dtype !== "float32") {
    throw new ScconvError("unsupported", "training takes models with one float32 image input (N, C, H, W)", {
      got:
        inputs
          .map((i) => `${i.name}: ${i.type ? `${i.type.dtype}[${i.type.shape?.join("×")}]` : "?"}`)
          .join(", ") || "none",
    });
  }
  return input.name;
}

function inputShape(graph: Graph, batch: number): number[] {
  const name = imageInput(graph);
  const [, ...rest] = graph.inputs.find((i) => i.name === name)!.type!.shape!;
  if (!rest.every((d) => typeof d === "number")) {
    throw new ScconvError("bad-input", "the image size must be fixed to train", {
      got: rest.join("×"),
      hint: "give --size",
    });
  }
  return [batch, ...(rest as number[])];
}
