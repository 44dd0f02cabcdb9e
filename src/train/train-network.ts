import type { DataSet, Normalize } from "../data/data-set.js";
import type { Graph } from "../graph/ir.js";
import type { Progress } from "../runtime/progress.js";
import type { Engine } from "../runtime/session.js";
import { type Checkpoint, decodeCheckpoint, type EpochMetrics, type RunStore } from "./checkpoint.js";
import { evaluate, evaluationGraph } from "./evaluate.js";
import type { EventLog } from "./event-log.js";
import { type FitOptions, type FitResult, fit } from "./fit.js";
import { trainableParts } from "./parts.js";
import { augmentOf, type Recipe, scheduleOf, shuffleOf, stepOf } from "./recipe.js";
import { buildStep, type Objective, type Traced } from "./step.js";
import { trainedGraph } from "./trained-graph.js";
import { createTrainer, finalWeights, initialState } from "./trainer.js";

export interface Training {
  readonly student: Graph;
  /** Distilled from, where there is one. */
  readonly teacher?: Graph;
  /** What is minimised; built for `student` and `teacher`. */
  readonly objective: (traced: Traced) => Objective;
  readonly recipe: Recipe;
  readonly normalize: Normalize;
  /** Where it keeps its state, to be resumed; without, a run that is stopped is lost. */
  readonly store?: RunStore | undefined;
  readonly log?: EventLog | undefined;
  /** Seconds between saves within an epoch. */
  readonly saveEvery?: number | undefined;
  /** Go on from `last.safetensors` of the store. */
  readonly resume?: boolean;
  /** Learning rate of a parameter, as a multiple. */
  readonly rate?: (name: string) => number;
  readonly onStep?: FitOptions["onStep"];
  readonly onEpoch?: ((metrics: EpochMetrics) => void) | undefined;
  /** After an epoch that was the best so far, with the network as it is then. */
  readonly onBest?: (graph: Graph) => Promise<void>;
}

export interface TrainingContext {
  readonly threads?: number | undefined;
  readonly seed: number;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Trained extends FitResult {
  /** The student with the parameters of its best epoch. */
  readonly graph: Graph;
}

/** Trains a network on the data, from the start or from where a run was left. */
export async function trainNetwork(
  engine: Engine,
  data: DataSet,
  training: Training,
  { threads, seed, progress, signal }: TrainingContext,
): Promise<Trained> {
  const { student, teacher, objective, recipe, normalize, store, log, rate, onBest, saveEvery } = training;
  const { onStep, onEpoch } = training;
  const program = buildStep({
    ...{ student, teacher, ...stepOf(recipe, seed) },
    objective,
    ...(rate ? { rate } : {}),
  });
  const resume = training.resume && store ? await checkpointIn(store, "last.safetensors") : undefined;
  const { parameters, statistics } = trainableParts(student);
  const trainer = await createTrainer(
    engine,
    program,
    resume?.state ?? initialState(program, new Map([...parameters, ...statistics])),
    { threads, ...(resume ? { steps: resume.steps } : {}) },
  );
  const evaluation = await engine.open(evaluationGraph(student, program), { threads });
  const best = resume && store && (await checkpointIn(store, "best.safetensors"));
  let graph = trainedGraph(student, { program, state: best?.state ?? trainer.state });
  try {
    const result = await fit(trainer, data, {
      ...{
        epochs: recipe.epochs,
        schedule: scheduleOf(recipe),
        augment: augmentOf(recipe),
        shuffle: shuffleOf(recipe),
      },
      ...{ normalize, seed, store, log, resume, progress, signal, saveEvery, onStep },
      evaluate: ({ state }) => {
        const ends = { input: "images", output: "logits" };
        // Not stopped half-way: the epoch is done, and is saved with its figures.
        return evaluate(evaluation, ends, data, { normalize }, finalWeights(program, state));
      },
      onEpoch: async (metrics, improved, { state }) => {
        onEpoch?.(metrics);
        if (!improved) return;
        graph = trainedGraph(student, { program, state });
        await onBest?.(graph);
      },
    });
    return { ...result, graph };
  } finally {
    await trainer.release();
    await evaluation.release();
  }
}

async function checkpointIn(store: RunStore, name: string): Promise<Checkpoint | undefined> {
  const bytes = await store.read(name);
  return bytes && decodeCheckpoint(bytes, name);
}
