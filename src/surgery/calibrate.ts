import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { DataSet, Normalize } from "../data/data-set.js";
import type { Value } from "../graph/builder.js";
import { inline } from "../graph/inline.js";
import type { Graph } from "../graph/ir.js";
import { jointOpsets } from "../graph/opsets.js";
import { add, mul, reduceMean, stopGradient, sub } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";
import type { Progress } from "../runtime/progress.js";
import type { Engine } from "../runtime/session.js";
import { unpack } from "../train/flat.js";
import { adamw } from "../train/optimizer.js";
import { trainableParts, withInitializers } from "../train/parts.js";
import { cosine } from "../train/schedule.js";
import { buildStep, imageInput } from "../train/step.js";
import { createTrainer, initialState } from "../train/trainer.js";
import { relativeSquare } from "./distill.js";
import type { UnitRecord } from "./unit.js";

export interface CalibrateOptions {
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  /** Learning rate of the gate's γ and β, as a multiple: their straight-through gradient is about 1/(4C) of the others'. */
  readonly gateRate: number;
  readonly normalize: Normalize;
  readonly seed: number;
  readonly threads?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Ends it early, with what it has reached. */
  readonly enough?: AbortSignal | undefined;
}

export interface Calibration {
  readonly graph: Graph;
  /** ‖unit − target‖ / ‖target‖ on the first and the last batches, by unit. */
  readonly errors: ReadonlyMap<string, readonly [before: number, after: number]>;
}

/**
 * Fits every unit to what the convolution made that it replaces, on real images, before the network is trained as a
 * whole: each has its own loss, ‖unit(x) − target‖² / ‖target‖², and no gradient passes from one unit to another. At
 * first x is what the original network would see there; then, little by little, what the slimmed network itself sees, so
 * that later units make up for what earlier ones changed. Units start with the target's mean and deviation in their batch
 * norm.
 */
export async function calibrate(
  engine: Engine,
  student: Graph,
  teacher: Graph,
  units: readonly UnitRecord[],
  data: DataSet,
  options: CalibrateOptions,
): Promise<Calibration> {
  const { steps, batch, learningRate, gateRate, normalize, seed, threads, signal, enough } = options;
  const images = data.train?.length ?? 0;
  if (images < batch) {
    throw new ScconvError("bad-input", "fewer training images than one batch of the calibration", {
      ...{ where: data.source, got: `${images} images`, need: `at least ${batch} (--calibrate-batch)` },
    });
  }
  const moments = await targetMoments(engine, teacher, units, data, options);
  const started = withInitializers(student, moments);
  const mine = (name: string) =>
    units.some((u) => name.startsWith(`${u.name}.`) || u.norm.parameters.includes(name));

  const raw = new Map<string, Value>();
  const outputs = new Map(units.map((u) => [u.output, u]));
  const program = buildStep({
    student: started,
    teacher,
    batch,
    optimizer: adamw({ weightDecay: 0 }),
    trained: mine,
    rate: (name) => (name.includes(".sru.gn.") ? gateRate : 1),
    momentum: 0.9,
    scalars: { own_share: ownShare(steps) },
    after: (node, [y, ...rest], { teacher: targets, scalars }) => {
      const unit = outputs.get(node.outputs[0]!);
      if (!unit || !y) return y ? [y, ...rest] : rest;
      raw.set(unit.output, y);
      const target = targets!.get(unit.target.output)!;
      return [stopGradient(add(target, mul(sub(y, target), scalars.own_share!))), ...rest];
    },
    objective: ({ teacher: targets }) => {
      const figures: Record<string, Value> = {};
      let loss: Value | undefined;
      units.forEach((unit, i) => {
        const error = relativeSquare(raw.get(unit.output)!, targets!.get(unit.target.output)!);
        figures[`unit_${i}`] = error;
        loss = loss ? add(loss, error) : error;
      });
      return { loss: loss!, figures };
    },
  });

  const { parameters, statistics } = trainableParts(started);
  const trainer = await createTrainer(
    engine,
    program,
    initialState(program, new Map([...parameters, ...statistics])),
    {
      threads,
    },
  );
  // Errors of the first step, and of the last ones.
  let first: readonly number[] = [];
  const last: (readonly number[])[] = [];
  const window = Math.max(1, Math.min(20, Math.floor(steps / 4)));
  const schedule = cosine(learningRate, { warmup: 10, floor: 0.02 });
  const bar = options.progress?.phase(`calibrate ${units.length} units`, steps);
  try {
    let done = 0;
    for (let epoch = 0; done < steps && !enough?.aborted; epoch++) {
      const order = { batchSize: batch, normalize, shuffle: true, seed, epoch, dropLast: true };
      for await (const { images, labels } of data.batches("train", {
        ...order,
        ...(signal ? { signal } : {}),
      })) {
        signal?.throwIfAborted();
        if (enough?.aborted) break;
        const { figures } = await trainer.step(images, labels, schedule(done, steps));
        const errors = units.map((_, i) => Math.sqrt(figures.get(`unit_${i}`)!));
        if (done === 0) first = errors;
        last.push(errors);
        if (last.length > window) last.shift();
        done++;
        bar?.tick(done, `error ${(Math.sqrt(figures.get("loss")! / units.length)).toFixed(3)}`);
        if (done === steps) break;
      }
    }
  } catch (error) {
    if (!(error instanceof ScconvError) || error.code !== "not-finite") throw error;
    // Unlike a training it leaves nothing to go on from.
    throw new ScconvError("not-finite", `the calibration diverged at step ${trainer.steps + 1}`, {
      ...{ hint: "try a lower learning rate of the calibration", cause: error },
    });
  } finally {
    bar?.done();
    await trainer.release();
  }
  const tensors = new Map([
    ...unpack(program.parameters, trainer.state.get("parameters")!),
    ...unpack(program.statistics, trainer.state.get("statistics")!),
  ]);
  return {
    graph: withInitializers(started, tensors),
    errors: new Map(
      first.map((before, i) => [
        units[i]!.name,
        [before, last.reduce((sum, e) => sum + e[i]!, 0) / last.length],
      ]),
    ),
  };
}

/** What later layers see of a unit's own output, the rest being the original's: nothing for half the steps, then more. */
const ownShare = (steps: number) => (step: number) => Math.min(1, Math.max(0, (step / steps - 0.5) / 0.4));

/** The batch norms that units brought with them, set to the target's deviation and mean, channel by channel. */
async function targetMoments(
  engine: Engine,
  teacher: Graph,
  units: readonly UnitRecord[],
  data: DataSet,
  { batch, normalize, seed, threads, signal }: CalibrateOptions,
): Promise<Map<string, Tensor>> {
  const own = units.filter((u) => u.norm.own);
  if (own.length === 0) return new Map();
  const b = graphBuilder({ name: "moments", opsets: jointOpsets([teacher]) });
  const input = imageInput(teacher);
  const images = b.input("images", "float32", teacher.inputs.find((i) => i.name === input)!.type!.shape!);
  const values = inline(b, teacher, { substitute: new Map([[input, images]]), prefix: "teacher." });
  own.forEach((unit, i) => {
    const t = values.get(unit.target.output)!;
    b.output(reduceMean(t, [0, 2, 3], false), `mean_${i}`);
    b.output(reduceMean(mul(t, t), [0, 2, 3], false), `square_${i}`);
  });
  const session = await engine.open(b.build(), { threads });
  const batches = 4;
  const sums = own.map((u) => ({
    mean: new Float64Array(u.channels[1]),
    square: new Float64Array(u.channels[1]),
  }));
  let seen = 0;
  const order = { batchSize: batch, normalize, shuffle: true, seed, epoch: 0, dropLast: true };
  for await (const { images: pixels, count } of data.batches("train", {
    ...order,
    ...(signal ? { signal } : {}),
  })) {
    const dims = [count, data.channels, data.height, data.width];
    const results = await session.run(new Map([["images", Tensor.of("float32", dims, pixels)]]));
    own.forEach((_, i) => {
      for (const kind of ["mean", "square"] as const) {
        const t = results.get(`${kind}_${i}`)!.numbers();
        for (let c = 0; c < t.length; c++) sums[i]![kind][c]! += t[c]!;
      }
    });
    if (++seen === batches) break;
  }
  await session.release();
  const tensors = new Map<string, Tensor>();
  own.forEach((unit, i) => {
    const [weight, bias] = unit.norm.parameters as [string, string];
    const mean = sums[i]!.mean.map((v) => v / seen);
    const deviation = sums[i]!.square.map((v, c) => Math.sqrt(Math.max(0, v / seen - mean[c]! ** 2) + 1e-8));
    tensors.set(weight, Tensor.from("float32", [mean.length], deviation));
    tensors.set(bias, Tensor.from("float32", [mean.length], mean));
  });
  return tensors;
}
