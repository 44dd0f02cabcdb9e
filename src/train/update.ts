import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { prune } from "../graph/walk.js";
import { mul, reduceSumSquare } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";
import { lower } from "../ops/lower.js";
import { averaged, averageSlots, KEEP } from "./average.js";
import { type FlatLayout, spreadOver } from "./flat.js";
import type { Optimizer } from "./optimizer.js";
import { decays } from "./parts.js";
import { type Segment, segmentInputs } from "./segments.js";

/** What an update needs to know of the step. */
export interface UpdateSettings {
  readonly segments: readonly Segment[];
  readonly statistics: FlatLayout;
  readonly optimizer: Optimizer;
  /** Learning rate of a parameter, as a multiple. */
  readonly rate: ((name: string) => number) | undefined;
  /** Whether an average of the weights is kept. */
  readonly average: boolean;
}

interface UpdateValues {
  /** Each segment's vector. */
  readonly parameters: readonly Value[];
  /** Of the whole batch, each segment's. */
  readonly gradient: readonly Value[];
  /** As they are after the batch. */
  readonly statistics: Value | undefined;
  /** The optimizer's own scalars and, where an average is kept, how much of it. */
  readonly scalars: Readonly<Record<string, Value>>;
}

/**
 * The optimizer's part of a step graph: takes its vectors as inputs, and gives them and the parameters as `next.…`, and
 * of each segment ‖gradient‖². Outputs of a segment stand together, those of the last layers behind: the engine
 * makes them first, so that a gradient is done with before the next one is begun.
 */
export function emitUpdate(
  b: GraphBuilder,
  { segments, statistics: running, optimizer, rate, average }: UpdateSettings,
  { parameters, gradient, statistics, scalars }: UpdateValues,
): void {
  const learningRate = b.input("learning_rate", "float32", []);
  const slots = optimizer.slots.map((name) => segmentInputs(b, name, segments));
  const averages = average ? segmentInputs(b, averageSlots.parameters, segments) : undefined;
  const { weightDecay, decayNorms } = optimizer;
  if (average && statistics) {
    const name = averageSlots.statistics;
    const old = b.input(name, "float32", [running.size]);
    b.output(averaged(old, statistics, scalars[KEEP]!), `next.${name}`);
  }
  segments.forEach(({ suffix, layout }, i) => {
    const perElement = (name: string, f: (name: string, dims: readonly number[]) => number) => {
      const first = f(layout.entries[0]!.name, layout.entries[0]!.dims);
      return layout.entries.every((e) => f(e.name, e.dims) === first)
        ? b.scalar(first)
        : b.constant(spreadOver(layout, f), name);
    };
    const decay = (_: string, dims: readonly number[]) => (decayNorms || decays(dims) ? weightDecay : 0);
    const next = optimizer.update({
      parameters: parameters[i]!,
      gradient: gradient[i]!,
      slots: slots.map((s) => s[i]!),
      learningRate: rate ? mul(learningRate, perElement("rates", rate)) : learningRate,
      decay: layout.entries.some((e) => decay(e.name, e.dims) > 0) ? perElement("decay", decay) : undefined,
      scalars,
    });
    b.output(next.parameters, `next.parameters${suffix}`);
    next.slots.forEach((v, k) => {
      b.output(v, `next.${optimizer.slots[k]}${suffix}`);
    });
    if (averages) {
      const following = averaged(averages[i]!, next.parameters, scalars[KEEP]!);
      b.output(following, `next.${averageSlots.parameters}${suffix}`);
    }
    b.output(reduceSumSquare(gradient[i]!, [0], false), `${GRADIENT_SQUARE}${suffix}`);
  });
}

/** The update as a graph of its own, for gradients that were summed over several runs of the step graph. */
export function updateGraph(name: string, settings: UpdateSettings, scalars: readonly string[]): Graph {
  const b = graphBuilder({ name });
  const { segments, statistics, average } = settings;
  emitUpdate(b, settings, {
    parameters: segmentInputs(b, "parameters", segments),
    gradient: segmentInputs(b, GRADIENT_SUM, segments),
    statistics:
      average && statistics.size > 0 ? b.input("statistics", "float32", [statistics.size]) : undefined,
    scalars: Object.fromEntries(scalars.map((s) => [s, b.input(s, "float32", [])])),
  });
  return prune(lower(b.build()));
}

export const GRADIENT_SUM = "gradient_sum";
/** ‖gradient‖² of a segment. */
export const GRADIENT_SQUARE = "gradient_square";
