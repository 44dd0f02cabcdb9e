import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { differentiate } from "../grad/differentiate.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import { inline } from "../graph/inline.js";
import { float, type Graph, type Node } from "../graph/ir.js";
import { prune } from "../graph/walk.js";
import { add, concat, mul, reduceSumSquare, reshape, sqrt } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { type FlatLayout, flatLayout, spreadOver, unpackValues } from "./flat.js";
import { classificationLoss, correct, type LossSettings } from "./loss.js";
import type { Optimizer } from "./optimizer.js";
import { decays, isBatchNorm, type TrainableParts, trainableParts } from "./parts.js";

/*
 * A training step is one graph. In: the batch, the labels, all parameters as one vector, the optimizer's vectors, the
 * running statistics as one vector, the learning rate. Out: the same vectors after the step, and the figures. The host
 * only carries vectors from the outputs back to the inputs.
 */

export interface StepProgram {
  readonly graph: Graph;
  readonly parameters: FlatLayout;
  readonly statistics: FlatLayout;
  readonly optimizer: Optimizer;
  /** Scalar outputs of the graph: `loss`, `gradient_norm`, `correct` and what the objective adds. */
  readonly figures: readonly string[];
  /** Scalar inputs beside the learning rate, as functions of the step (from 1). */
  readonly scalars: Readonly<Record<string, (step: number) => number>>;
  readonly batch: number;
}

/** What the student's graph looks like in training: its values by name, for the objective. */
export interface Traced {
  readonly b: GraphBuilder;
  readonly images: Value;
  readonly labels: Value;
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
  readonly batch: number;
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
  /** Further scalar inputs, as functions of the step (from 1). */
  readonly scalars?: Readonly<Record<string, (step: number) => number>>;
}

/** What there is before the student's first node. */
export type BeforeStudent = Pick<Traced, "teacher" | "scalars">;

/** Builds the step graph. `student` and `teacher` are inference graphs with one image input, sizes bound to numbers. */
export function buildStep(options: StepOptions): StepProgram {
  const { student, teacher, batch, optimizer, objective, trained = () => true, momentum = 0.9 } = options;
  const b = graphBuilder({ name: `${student.name}.step` });
  const images = b.input("images", "float32", inputShape(student, batch));
  const labels = b.input("labels", "int32", [batch]);
  const learningRate = b.input("learning_rate", "float32", []);
  const schedules = { ...optimizer.scalars, ...options.scalars };
  const scalars = Object.fromEntries(
    Object.keys(schedules).map((name) => [name, b.input(name, "float32", [])]),
  );

  const all = trainableParts(student);
  const parts: TrainableParts = {
    parameters: new Map([...all.parameters].filter(([name]) => trained(name))),
    statistics: new Map([...all.statistics].filter(([name]) => trained(name))),
  };
  const parameters = flatLayout([...parts.parameters].map(([n, t]) => [n, t.dims]));
  const statistics = flatLayout([...parts.statistics].map(([n, t]) => [n, t.dims]));
  if (parameters.size === 0) throw new ScconvError("bad-input", "the model has nothing to train");
  const vector = b.input("parameters", "float32", [parameters.size]);
  const values = unpackValues(parameters, vector);
  const runningVector = statistics.size > 0 ? b.input("statistics", "float32", [statistics.size]) : undefined;
  const running = runningVector && unpackValues(statistics, runningVector);

  const batchStatistics = new Map<string, Value>();
  const theirs =
    teacher &&
    inline(b, teacher, { substitute: new Map([[imageInput(teacher), images]]), prefix: "teacher." });
  const before: BeforeStudent = { teacher: theirs, scalars };
  const { after } = options;
  // Under a prefix: a value of the student may be called `loss` or `labels`, or as a constant of the builder's own.
  const ours = inline(b, student, {
    prefix: "student.",
    substitute: new Map([[imageInput(student), images], ...values, ...(running ?? [])]),
    emit: (node, inputs) => {
      if (!isBatchNorm(node) || !parts.statistics.has(node.inputs[3]!)) return undefined;
      const [y, mean, variance] = trainingBatchNorm(b, node, inputs as Value[]);
      batchStatistics.set(node.inputs[3]!, mean!);
      batchStatistics.set(node.inputs[4]!, variance!);
      return [y!];
    },
    after: after && ((node, outputs) => after(node, outputs, before)),
  });
  const traced: Traced = { b, images, labels, student: ours, ...before };

  const { loss, figures = {} } = objective(traced);
  const wrt = parameters.entries.map((e) => values.get(e.name)!);
  const gradients = differentiate(b, loss, wrt);
  const pieces = gradients.map((g, i) =>
    reshape(g ?? b.constant(Tensor.zeros("float32", parameters.entries[i]!.dims), "no_gradient"), [-1]),
  );
  const gradient = concat(pieces, 0);
  const slots = optimizer.slots.map((name) => b.input(name, "float32", [parameters.size]));
  const decay =
    optimizer.weightDecay > 0
      ? b.constant(
          spreadOver(parameters, (_, dims) =>
            optimizer.decayNorms || decays(dims) ? optimizer.weightDecay : 0,
          ),
          "decay",
        )
      : undefined;
  const { rate } = options;
  const next = optimizer.update({
    parameters: vector,
    gradient,
    slots,
    learningRate: rate
      ? mul(
          learningRate,
          b.constant(
            spreadOver(parameters, (name) => rate(name)),
            "rates",
          ),
        )
      : learningRate,
    decay,
    scalars,
  });
  b.output(next.parameters, "next.parameters");
  next.slots.forEach((v, i) => {
    b.output(v, `next.${optimizer.slots[i]}`);
  });
  if (runningVector) {
    const batch = concat(
      statistics.entries.map((e) => batchStatistics.get(e.name)!),
      0,
    );
    b.output(add(mul(runningVector, momentum), mul(batch, 1 - momentum)), "next.statistics");
  }
  b.output(loss, "loss");
  b.output(sqrt(reduceSumSquare(gradient, [0], false)), "gradient_norm");
  for (const [name, value] of Object.entries(figures)) b.output(value, name);
  return {
    graph: prune(lower(b.build())),
    parameters,
    statistics,
    optimizer,
    figures: ["loss", "gradient_norm", ...Object.keys(figures)],
    scalars: schedules,
    batch,
  };
}

/** Cross entropy, and distillation where there is a teacher; also counts the hits. */
export const classification =
  (student: Graph, teacher: Graph | undefined, settings: LossSettings) =>
  ({ student: s, teacher: t, labels }: Traced): Objective => {
    const logits = s.get(student.outputs[0]!.name)!;
    const theirs = teacher && t?.get(teacher.outputs[0]!.name);
    return {
      loss: classificationLoss(logits, labels, theirs, settings),
      figures: { correct: correct(logits, labels) },
    };
  };

/** Outputs: y, and the batch's mean and variance (momentum 0 leaves nothing of the running ones). */
function trainingBatchNorm(b: GraphBuilder, node: Node, inputs: readonly Value[]): Value[] {
  return b.addMany(
    "BatchNormalization",
    inputs,
    { epsilon: node.attributes.get("epsilon") ?? float(1e-5), momentum: float(0), training_mode: 1 },
    { name: node.name, outputs: 3 },
  );
}

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
