import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { Engine } from "../runtime/session.js";
import { averageSlots } from "./average.js";
import { pack } from "./flat.js";
import { openProgram, type TrainerOptions, type TrainState } from "./run-program.js";
import type { StepProgram } from "./step.js";

export type { TrainerOptions, TrainState };

export interface StepResult {
  readonly figures: ReadonlyMap<string, number>;
}

/** Runs a step program: holds its session and two copies of its state, which take turns as input and output. */
export interface Trainer {
  readonly program: StepProgram;
  /** The current state. Its tensors are overwritten by the step after the next. */
  readonly state: TrainState;
  /** Steps done. */
  readonly steps: number;
  /**
   * One step on images (N, C, H, W) and labels (N). Throws `not-finite`, with the state unchanged, when the loss or the
   * norm of the gradient is not finite.
   */
  step(images: Float32Array, labels: Int32Array, learningRate: number): Promise<StepResult>;
  release(): Promise<void>;
}

/** The state at step 0: the given tensors, their average where one is kept, and optimizer slots of zeros. */
export function initialState(
  program: StepProgram,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const { parameters, statistics, optimizer, average } = program;
  const state = new Map([["parameters", pack(parameters, tensors)]]);
  if (statistics.size > 0) state.set("statistics", pack(statistics, tensors));
  for (const slot of optimizer.slots) state.set(slot, Tensor.zeros("float32", [parameters.size]));
  if (average) {
    state.set(averageSlots.parameters, pack(parameters, tensors));
    if (statistics.size > 0) state.set(averageSlots.statistics, pack(statistics, tensors));
  }
  return state;
}

/** The `parameters` and `statistics` that count: the averaged ones where an average is kept. */
export function finalWeights({ average, statistics }: StepProgram, state: TrainState): Map<string, Tensor> {
  const of = (name: keyof typeof averageSlots) => state.get(average ? averageSlots[name] : name)!;
  const weights = new Map([["parameters", of("parameters")]]);
  return statistics.size > 0 ? weights.set("statistics", of("statistics")) : weights;
}

export async function createTrainer(
  engine: Engine,
  program: StepProgram,
  initial: TrainState,
  { steps: done = 0, ...options }: TrainerOptions & { steps?: number } = {},
): Promise<Trainer> {
  const running = await openProgram(engine, program, options);
  const copy = (t: Tensor) => Tensor.of("float32", t.dims, Float32Array.from(t.data as Float32Array));
  let current = new Map([...initial].map(([name, t]) => [name, copy(t)]));
  let spare = new Map([...initial].map(([name, t]) => [name, Tensor.zeros("float32", t.dims)]));
  let steps = done;

  async function step(images: Float32Array, labels: Int32Array, learningRate: number): Promise<StepResult> {
    const figures = await running.step(current, spare, { images, labels, learningRate, step: steps + 1 });
    for (const name of ["loss", "gradient_norm"]) {
      const value = figures.get(name)!;
      if (!Number.isFinite(value)) {
        throw new ScconvError(
          "not-finite",
          `training diverged at step ${steps + 1}: the ${name.replace("_", " ")} is ${value}`,
          {
            hint: "try a lower learning rate",
          },
        );
      }
    }
    [current, spare] = [spare, current];
    steps++;
    return { figures };
  }

  return {
    program,
    get state() {
      return current;
    },
    get steps() {
      return steps;
    },
    step,
    release: running.release,
  };
}
