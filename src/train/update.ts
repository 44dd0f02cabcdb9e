import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { prune } from "../graph/walk.js";
import { mul, reduceSumSquare, sqrt } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { averaged, averageSlots, KEEP } from "./average.js";
import { type FlatLayout, spreadOver } from "./flat.js";
import type { Optimizer } from "./optimizer.js";
import { decays } from "./parts.js";

/** What an update needs to know of the step. */
export interface UpdateSettings {
  readonly parameters: FlatLayout;
  readonly statistics: FlatLayout;
  readonly optimizer: Optimizer;
  /** Learning rate of a parameter, as a multiple. */
  readonly rate: ((name: string) => number) | undefined;
  /** Whether an average of the weights is kept. */
  readonly average: boolean;
}

interface UpdateValues {
  readonly parameters: Value;
  /** (size of the parameters), of the whole batch. */
  readonly gradient: Value;
  /** As they are after the batch. */
  readonly statistics: Value | undefined;
  /** The optimizer's own scalars and, where an average is kept, how much of it. */
  readonly scalars: Readonly<Record<string, Value>>;
}

/** The optimizer's part of a step graph: takes its vectors as inputs, and gives them and the parameters as `next.…`. */
export function emitUpdate(
  b: GraphBuilder,
  { parameters: layout, statistics: running, optimizer, rate, average }: UpdateSettings,
  { parameters, gradient, statistics, scalars }: UpdateValues,
): void {
  const learningRate = b.input("learning_rate", "float32", []);
  const slots = optimizer.slots.map((name) => b.input(name, "float32", [layout.size]));
  const { weightDecay, decayNorms } = optimizer;
  const perElement = (name: string, f: (name: string, dims: readonly number[]) => number) =>
    b.constant(spreadOver(layout, f), name);
  const next = optimizer.update({
    parameters,
    gradient,
    slots,
    learningRate: rate ? mul(learningRate, perElement("rates", rate)) : learningRate,
    decay:
      weightDecay > 0
        ? perElement("decay", (_, dims) => (decayNorms || decays(dims) ? weightDecay : 0))
        : undefined,
    scalars,
  });
  b.output(next.parameters, "next.parameters");
  next.slots.forEach((v, i) => {
    b.output(v, `next.${optimizer.slots[i]}`);
  });
  if (average) {
    const keep = (name: string, size: number, value: Value) =>
      b.output(averaged(b.input(name, "float32", [size]), value, scalars[KEEP]!), `next.${name}`);
    keep(averageSlots.parameters, layout.size, next.parameters);
    if (statistics) keep(averageSlots.statistics, running.size, statistics);
  }
  b.output(sqrt(reduceSumSquare(gradient, [0], false)), "gradient_norm");
}

/** The update as a graph of its own, for gradients that were summed over several runs of the step graph. */
export function updateGraph(name: string, settings: UpdateSettings, scalars: readonly string[]): Graph {
  const b = graphBuilder({ name });
  const { parameters, statistics, average } = settings;
  emitUpdate(b, settings, {
    parameters: b.input("parameters", "float32", [parameters.size]),
    gradient: b.input(GRADIENT_SUM, "float32", [parameters.size]),
    statistics:
      average && statistics.size > 0 ? b.input("statistics", "float32", [statistics.size]) : undefined,
    scalars: Object.fromEntries(scalars.map((s) => [s, b.input(s, "float32", [])])),
  });
  return prune(lower(b.build()));
}

export const GRADIENT_SUM = "gradient_sum";
