import { Tensor } from "../base/tensor.js";
import type { Engine, Session } from "../runtime/session.js";
import { averageSlots } from "./average.js";
import { forEngine } from "./for-engine.js";
import { CORRECT } from "./loss.js";
import { cutVector } from "./segments.js";
import type { StepProgram } from "./step.js";
import { GRADIENT_SQUARE, GRADIENT_SUM } from "./update.js";

/** What is carried from step to step: one vector each for parameters, statistics and every slot of the optimizer. */
export type TrainState = ReadonlyMap<string, Tensor>;

export interface TrainerOptions {
  readonly threads?: number | undefined;
  readonly profile?: string | undefined;
}

export interface StepFeeds {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly learningRate: number;
  /** From 1. */
  readonly step: number;
}

/** A step program in its sessions. */
export interface RunningProgram {
  /** From one state to the next, which is written into `into`; `from` is left as it is. Returns the figures. */
  step(from: TrainState, into: TrainState, feeds: StepFeeds): Promise<Map<string, number>>;
  release(): Promise<void>;
}

export async function openProgram(
  engine: Engine,
  program: StepProgram,
  options: TrainerOptions,
): Promise<RunningProgram> {
  const settings = { ...options, oneBlock: false };
  const session = await engine.open(await forEngine(engine, program.graph), settings);
  const update = program.update && (await engine.open(program.update, settings));
  const figures: Figures = {
    plain: new Map(
      program.figures
        .filter((name) => name !== GRADIENT_NORM)
        .map((name) => [name, Tensor.zeros("float32", [])]),
    ),
    squares: new Map(
      program.segments.map(({ suffix }) => [`${GRADIENT_SQUARE}${suffix}`, Tensor.zeros("float32", [])]),
    ),
  };
  const step = update
    ? accumulated(program, session, update, figures)
    : async (from: TrainState, into: TrainState, feeds: StepFeeds) => {
        const { images, labels } = feeds;
        await session.run(
          inputsOf(session, from, program, feeds, { images, labels }),
          new Map([...outputsOf(into, program), ...figures.plain, ...figures.squares]),
        );
        return new Map([...numbersOf(figures.plain), ...normOf(figures)]);
      };
  return {
    step,
    async release() {
      await session.release();
      await update?.release();
    },
  };
}

/** Where a run leaves its numbers. */
interface Figures {
  readonly plain: ReadonlyMap<string, Tensor>;
  /** ‖gradient‖² of each segment. */
  readonly squares: ReadonlyMap<string, Tensor>;
}

/** Several runs on parts of the batch, each adding to the gradient, then the update. */
function accumulated(
  program: StepProgram,
  session: Session,
  update: Session,
  figures: Figures,
): RunningProgram["step"] {
  const { accumulate, batch, parameters, statistics } = program;
  const pair = (size: number) => [0, 1].map(() => Tensor.zeros("float32", [size]));
  const sums = pair(parameters.size);
  const running = statistics.size > 0 ? pair(statistics.size) : undefined;
  const micro = batch / accumulate;
  return async (from, into, feeds) => {
    const totals = new Map<string, number>();
    (sums[0]!.data as Float32Array).fill(0);
    const carried = new Map([["parameters", from.get("parameters")!]]);
    if (running) carried.set("statistics", from.get("statistics")!);
    for (let m = 0; m < accumulate; m++) {
      const [before, after] = [sums[m % 2]!, sums[(m + 1) % 2]!];
      carried.set(GRADIENT_SUM, before);
      const next = new Map([[GRADIENT_SUM, after]]);
      if (running) next.set("statistics", running[m % 2]!);
      const floats = feeds.images.length / accumulate;
      const images = feeds.images.subarray(m * floats, (m + 1) * floats);
      const labels = feeds.labels.subarray(m * micro, (m + 1) * micro);
      await session.run(
        inputsOf(session, carried, program, feeds, { images, labels, micro: m }),
        new Map([...outputsOf(next, program), ...figures.plain]),
      );
      for (const [name, value] of numbersOf(figures.plain)) {
        totals.set(name, (totals.get(name) ?? 0) + value / (name === CORRECT ? 1 : accumulate));
      }
      for (const [name, tensor] of next) carried.set(name, tensor);
    }
    const state = new Map([...from, ...carried]);
    const outputs = new Map([...into].filter(([name]) => name !== "statistics"));
    await update.run(
      inputsOf(update, state, program, feeds),
      new Map([...outputsOf(outputs, program), ...figures.squares]),
    );
    if (running) {
      (into.get("statistics")!.data as Float32Array).set(carried.get("statistics")!.data as Float32Array);
    }
    return new Map([...totals, ...normOf(figures)]);
  };
}

/** What the session reads of the state, the batch and the scalars. */
function inputsOf(
  session: Session,
  state: TrainState,
  program: StepProgram,
  { learningRate, step }: StepFeeds,
  part?: { images: Float32Array; labels: Int32Array; micro?: number },
): Map<string, Tensor> {
  const { graph, scalars, batch, accumulate } = program;
  const all = inSegments(state, program);
  if (part) {
    const dims = graph.inputs.find((i) => i.name === "images")!.type!.shape as number[];
    all.set("images", Tensor.of("float32", dims, part.images));
    all.set("labels", Tensor.of("int32", [batch / accumulate], part.labels));
  }
  all.set("learning_rate", Tensor.scalar("float32", learningRate));
  for (const [name, f] of Object.entries(scalars)) {
    all.set(name, Tensor.scalar("float32", f(step, part?.micro ?? 0)));
  }
  const wanted = new Set(session.inputs);
  return new Map([...all].filter(([name]) => wanted.has(name)));
}

/** The state as the graph takes it: vectors as long as the parameters in segments. */
function inSegments(state: TrainState, { segments, optimizer }: StepProgram): Map<string, Tensor> {
  const long = new Set(["parameters", ...optimizer.slots, averageSlots.parameters, GRADIENT_SUM]);
  const cut = ([name, tensor]: readonly [string, Tensor]) =>
    long.has(name) ? [...cutVector(name, tensor, segments)] : [[name, tensor] as const];
  return new Map([...state].flatMap(cut));
}

const outputsOf = (next: TrainState, program: StepProgram): Map<string, Tensor> =>
  new Map([...inSegments(next, program)].map(([name, t]) => [`next.${name}`, t]));

const numbersOf = (figures: ReadonlyMap<string, Tensor>): Map<string, number> =>
  new Map([...figures].map(([name, t]) => [name, t.data[0] as number]));

const GRADIENT_NORM = "gradient_norm";
const normOf = ({ squares }: Figures): Map<string, number> => {
  const sum = [...numbersOf(squares).values()].reduce((a, b) => a + b);
  return new Map([[GRADIENT_NORM, Math.sqrt(sum)]]);
};
