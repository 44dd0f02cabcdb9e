import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { Engine, Session } from "../runtime/session.js";
import { pack } from "./flat.js";
import type { StepProgram } from "./step.js";

/** What is carried from step to step: one vector each for parameters, statistics and every slot of the optimizer. */
export type TrainState = ReadonlyMap<string, Tensor>;

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

export interface TrainerOptions {
  readonly threads?: number | undefined;
  readonly profile?: string | undefined;
}

/** The state at step 0: the given tensors, and optimizer slots of zeros. */
export function initialState(
  program: StepProgram,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, Tensor> {
  const { parameters, statistics, optimizer } = program;
  const state = new Map([["parameters", pack(parameters, tensors)]]);
  if (statistics.size > 0) state.set("statistics", pack(statistics, tensors));
  for (const slot of optimizer.slots) state.set(slot, Tensor.zeros("float32", [parameters.size]));
  return state;
}

export async function createTrainer(
  engine: Engine,
  program: StepProgram,
  initial: TrainState,
  { steps: done = 0, ...options }: TrainerOptions & { steps?: number } = {},
): Promise<Trainer> {
  const session: Session = await engine.open(program.graph, options);
  const input = program.graph.inputs.find((i) => i.name === "images")!;
  const imageDims = input.type!.shape as number[];
  const copy = (t: Tensor) => Tensor.of("float32", t.dims, Float32Array.from(t.data as Float32Array));
  let current = new Map([...initial].map(([name, t]) => [name, copy(t)]));
  let spare = new Map([...initial].map(([name, t]) => [name, Tensor.zeros("float32", t.dims)]));
  const figures = new Map(program.figures.map((name) => [name, Tensor.zeros("float32", [])]));
  const takesLabels = session.inputs.includes("labels");
  let steps = done;

  const release = () => session.release();
  async function step(images: Float32Array, labels: Int32Array, learningRate: number): Promise<StepResult> {
    const feeds = new Map(current);
    feeds.set("images", Tensor.of("float32", imageDims, images));
    if (takesLabels) feeds.set("labels", Tensor.of("int32", [program.batch], labels));
    feeds.set("learning_rate", Tensor.scalar("float32", learningRate));
    for (const [name, f] of Object.entries(program.scalars)) {
      feeds.set(name, Tensor.scalar("float32", f(steps + 1)));
    }
    const fetches = new Map([...spare].map(([name, t]) => [`next.${name}`, t]));
    for (const [name, t] of figures) fetches.set(name, t);
    await session.run(feeds, fetches);
    const result = new Map([...figures].map(([name, t]) => [name, t.data[0] as number]));
    for (const name of ["loss", "gradient_norm"]) {
      const value = result.get(name)!;
      if (!Number.isFinite(value)) {
        throw new ScconvError(
          "not-finite",
          `training diverged at step ${steps + 1}: the ${name.replace("_", " ")} is ${value}`,
          {
            hint: "try a lower learning rate; the state before this step is kept",
          },
        );
      }
    }
    [current, spare] = [spare, current];
    steps++;
    return { figures: result };
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
    release,
  };
}
