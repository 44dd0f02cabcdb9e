import { Tensor } from "../base/tensor.js";
import type { Engine, Session } from "../runtime/session.js";
import { CORRECT } from "./loss.js";
import type { StepProgram } from "./step.js";
import { GRADIENT_SUM } from "./update.js";

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
  const session = await engine.open(program.graph, settings);
  const update = program.update && (await engine.open(program.update, settings));
  const figures = new Map(program.figures.map((name) => [name, Tensor.zeros("float32", [])]));
  const step = update
    ? accumulated(program, session, update, figures)
    : async (from: TrainState, into: TrainState, feeds: StepFeeds) => {
        const { images, labels } = feeds;
        await session.run(
          inputsOf(session, from, program, feeds, { images, labels }),
          outputsOf(into, figures),
        );
        return numbersOf(figures);
      };
  return {
    step,
    async release() {
      await session.release();
      await update?.release();
    },
  };
}

/** Several runs on parts of the batch, each adding to the gradient, then the update. */
function accumulated(
  program: StepProgram,
  session: Session,
  update: Session,
  figures: ReadonlyMap<string, Tensor>,
): RunningProgram["step"] {
  const { accumulate, batch, parameters, statistics } = program;
  const pair = (size: number) => [0, 1].map(() => Tensor.zeros("float32", [size]));
  const sums = pair(parameters.size);
  const running = statistics.size > 0 ? pair(statistics.size) : undefined;
  const norm = new Map([["gradient_norm", figures.get("gradient_norm")!]]);
  const ofPart = new Map([...figures].filter(([name]) => !norm.has(name)));
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
        outputsOf(next, ofPart),
      );
      for (const [name, value] of numbersOf(ofPart)) {
        totals.set(name, (totals.get(name) ?? 0) + value / (name === CORRECT ? 1 : accumulate));
      }
      for (const [name, tensor] of next) carried.set(name, tensor);
    }
    const state = new Map([...from, ...carried]);
    const outputs = new Map([...into].filter(([name]) => name !== "statistics"));
    await update.run(inputsOf(update, state, program, feeds), outputsOf(outputs, norm));
    if (running) {
      (into.get("statistics")!.data as Float32Array).set(carried.get("statistics")!.data as Float32Array);
    }
    return new Map([...totals, ...numbersOf(norm)]);
  };
}

/** What the session reads of the state, the batch and the scalars. */
function inputsOf(
  session: Session,
  state: TrainState,
  { graph, scalars, batch, accumulate }: StepProgram,
  { learningRate, step }: StepFeeds,
  part?: { images: Float32Array; labels: Int32Array; micro?: number },
): Map<string, Tensor> {
  const all = new Map(state);
  if (part) {
    const dims = graph.inputs.find((i) => i.name === "images")!.type!.shape as number[];
    all.set("images", Tensor.of("float32", dims, part.images));
    all.set("labels", Tensor.of("int32", [batch / accumulate], part.labels));
  }
  all.set("learning_rate", Tensor.scalar("float32", learningRate));
  for (const [name, f] of Object.entries(scalars)) {
    all.set(name, Tensor.scalar("float32", f(step, part?.micro ?? 0)));
  }
  return new Map([...all].filter(([name]) => session.inputs.includes(name)));
}

const outputsOf = (next: TrainState, figures: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map([...[...next].map(([name, t]) => [`next.${name}`, t] as const), ...figures]);

const numbersOf = (figures: ReadonlyMap<string, Tensor>): Map<string, number> =>
  new Map([...figures].map(([name, t]) => [name, t.data[0] as number]));
