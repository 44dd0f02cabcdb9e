import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { normalizations } from "../../src/data/normalize.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { conv, linear } from "../../src/nn/layers.js";
import { reduceMean, relu } from "../../src/ops/emit.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { averageKeep } from "../../src/train/average.js";
import { decodeCheckpoint } from "../../src/train/checkpoint.js";
import { type FitOptions, fit } from "../../src/train/fit.js";
import { mixupShare } from "../../src/train/mixup.js";
import { sgd } from "../../src/train/optimizer.js";
import { cosine } from "../../src/train/schedule.js";
import type { StepOptions } from "../../src/train/step.js";
import { createTrainer, finalWeights, initialState, type Trainer } from "../../src/train/trainer.js";
import {
  BATCH,
  batchOf,
  bytesOf,
  CLASSES,
  memoryStore,
  program,
  SIZE,
  sharedEngine,
  stateOf,
  tinyData,
  tinyNet,
} from "./tiny.js";

const engine = sharedEngine();
const open: Trainer[] = [];
afterAll(() => Promise.all(open.map((t) => t.release())));

async function started(student: Graph, options: Partial<StepOptions> = {}): Promise<Trainer> {
  const step = program(student, options);
  const trainer = await createTrainer(engine, step, stateOf(student, step));
  open.push(trainer);
  return trainer;
}

/** Two convolutions and a classifier, without batch norm. */
function plainNet(): Graph {
  const b = graphBuilder({ name: "plain" });
  const random = new Random(4);
  let x = b.input("input", "float32", ["N", 1, SIZE, SIZE]);
  x = relu(conv(x, 6, "a", random, { kernel: 3, bias: true }));
  x = relu(conv(x, 8, "b", random, { kernel: 3, stride: 2, bias: true }));
  b.output(linear(reduceMean(x, [2, 3], false), CLASSES, "head", random), "logits");
  return b.build();
}

const numbersOf = (trainer: Trainer, name: string) => Float64Array.from(trainer.state.get(name)!.numbers());
const distance = (a: Float64Array, b: Float64Array) =>
  Math.sqrt(a.reduce((s, v, i) => s + (v - b[i]!) ** 2, 0) / b.reduce((s, v) => s + v * v, 0));

describe("gradient accumulation", () => {
  it("is the same update as one large batch, for a network without batch norm", async () => {
    const [whole, parts] = [await started(plainNet()), await started(plainNet(), { accumulate: 4 })];
    const before = numbersOf(whole, "parameters");
    for (let i = 0; i < 3; i++) {
      const { images, labels } = batchOf(i);
      const [a, b] = [await whole.step(images, labels, 0.1), await parts.step(images, labels, 0.1)];
      expect(b.figures.get("loss")).toBeCloseTo(a.figures.get("loss")!, 5);
      expect(b.figures.get("gradient_norm")).toBeCloseTo(a.figures.get("gradient_norm")!, 5);
      expect(b.figures.get("correct")).toBe(a.figures.get("correct"));
    }
    const moved = (t: Trainer) => numbersOf(t, "parameters").map((v, i) => v - before[i]!);
    expect(distance(moved(parts), moved(whole))).toBeLessThan(1e-5);
    expect(parts.steps).toBe(3);
  });

  it("holds and differentiates one micro-batch: two well-formed graphs", () => {
    const step = program(tinyNet(), { accumulate: 2, average: 0.9 });
    verify(step.graph, operators);
    verify(step.update!, operators);
    expect(step.graph.inputs.find((i) => i.name === "images")!.type!.shape![0]).toBe(BATCH / 2);
    expect(step.graph.outputs.map((o) => o.name)).not.toContain("next.parameters");
  });

  it("gives batch norms one micro-batch at a time, and their running statistics each in turn", async () => {
    const student = tinyNet();
    const parts = await started(student, { accumulate: 2 });
    const half = await started(student, { batch: BATCH / 2 });
    const { images, labels } = batchOf();
    await parts.step(images, labels, 0.1);
    for (const i of [0, 1]) {
      const at = <T extends Float32Array | Int32Array>(a: T) =>
        a.slice((i * a.length) / 2, ((i + 1) * a.length) / 2) as T;
      await half.step(at(images), at(labels), 0);
    }
    expect(distance(numbersOf(parts, "statistics"), numbersOf(half, "statistics"))).toBeLessThan(1e-6);
  });

  it("leaves the state as it was when one part is not finite", async () => {
    const trainer = await started(tinyNet(), { accumulate: 2 });
    const { images, labels } = batchOf();
    await trainer.step(images, labels, 0.1);
    const before = bytesOf(trainer.state);
    const spoilt = Float32Array.from(images);
    spoilt[0] = Number.NaN;
    await expect(trainer.step(spoilt, labels, 0.1)).rejects.toMatchObject({ code: "not-finite" });
    expect(bytesOf(trainer.state)).toEqual(before);
  });

  it("refuses parts that are not equal", () => {
    expect(() => program(tinyNet(), { accumulate: 3 })).toThrowError(/equal parts.*8 images into 3/);
  });
});

describe("the average of the weights", () => {
  it("follows parameters and running statistics, and is what counts", async () => {
    const trainer = await started(tinyNet(), { average: 0.25 });
    let parameters: Float64Array = numbersOf(trainer, "parameters");
    let statistics: Float64Array = numbersOf(trainer, "statistics");
    for (let step = 1; step <= 4; step++) {
      const { images, labels } = batchOf(step);
      await trainer.step(images, labels, 0.05);
      const keep = averageKeep(0.25)(step);
      const after = (old: Float64Array, name: string) =>
        numbersOf(trainer, name).map((v, i) => keep * old[i]! + (1 - keep) * v);
      [parameters, statistics] = [after(parameters, "parameters"), after(statistics, "statistics")];
    }
    const final = finalWeights(trainer.program, trainer.state);
    expect(distance(Float64Array.from(final.get("parameters")!.numbers()), parameters)).toBeLessThan(1e-6);
    expect(distance(Float64Array.from(final.get("statistics")!.numbers()), statistics)).toBeLessThan(1e-6);
    expect(
      distance(Float64Array.from(final.get("parameters")!.numbers()), numbersOf(trainer, "parameters")),
    ).toBeGreaterThan(1e-4);
  });

  it("does not change the training", async () => {
    const [a, b] = [await started(tinyNet(), { average: 0.99 }), await started(tinyNet())];
    const { images, labels } = batchOf();
    for (const t of [a, b]) await t.step(images, labels, 0.1);
    expect(bytesOf(a.state).parameters).toBe(bytesOf(b.state).parameters);
  });

  it("forgets the start: it keeps 2/11 at the first step and its share in the end", () => {
    expect(averageKeep(0.999)(1)).toBeCloseTo(2 / 11, 12);
    expect(averageKeep(0.999)(1e6)).toBe(0.999);
  });
});

describe("mixup", () => {
  it("draws λ from Beta(α, α), as a function of seed, update and part", () => {
    for (const alpha of [0.2, 1, 4]) {
      const share = mixupShare({ alpha, seed: 3 });
      const draws = Array.from({ length: 4000 }, (_, i) => share(i + 1));
      const mean = draws.reduce((a, b) => a + b) / draws.length;
      const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
      expect(mean).toBeCloseTo(0.5, 1);
      // Var Beta(α, α) = 1 / (4(2α + 1)).
      expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1);
      expect(share(7)).toBe(draws[6]);
      expect(share(7, 1)).not.toBe(draws[6]);
      expect(mixupShare({ alpha, seed: 4 })(7)).not.toBe(draws[6]);
    }
  });

  it("mixes neighbours and their targets by λ", async () => {
    const student = plainNet();
    const mixup = { alpha: 1, seed: 5 };
    const trainer = await started(student, { mixup });
    const { images, labels } = batchOf();
    const { figures } = await trainer.step(images, labels, 0);
    const share = mixupShare(mixup)(1);
    const size = images.length / BATCH;
    const mixed = images.map((v, i) => share * v + (1 - share) * images[(i + size) % images.length]!);
    const input = Tensor.of("float32", [BATCH, 1, SIZE, SIZE], mixed);
    const logits = Float64Array.from(
      evaluateGraph(student, new Map([["input", input]]))
        .get("logits")!
        .numbers(),
    );
    let [loss, correct] = [0, 0];
    for (let n = 0; n < BATCH; n++) {
      const row = logits.subarray(n * CLASSES, (n + 1) * CLASSES);
      const sum = row.reduce((a, v) => a + Math.exp(v), 0);
      const targets = [
        [labels[n]!, share],
        [labels[(n + 1) % BATCH]!, 1 - share],
      ] as const;
      for (const [label, weight] of targets) {
        loss += (weight * (Math.log(sum) - row[label]!)) / BATCH;
        if (row[label] === Math.max(...row)) correct += weight;
      }
    }
    expect(figures.get("loss")).toBeCloseTo(loss, 5);
    expect(figures.get("correct")).toBeCloseTo(correct, 5);
    expect(correct).toBeGreaterThan(0);
  });
});

describe("a run with mixup, an average and accumulation", () => {
  const student = tinyNet();
  const step = program(student, {
    ...{ accumulate: 2, mixup: { alpha: 0.4, seed: 5 }, average: 0.9, optimizer: sgd() },
  });
  const data = tinyData();
  async function run(options: Partial<FitOptions> = {}) {
    const { resume } = options;
    const initial = resume?.state ?? stateOf(student, step);
    const trainer = await createTrainer(engine, step, initial, resume ? { steps: resume.steps } : {});
    const result = fit(trainer, data, {
      ...{ epochs: 2, schedule: cosine(0.1), normalize: normalizations.none, seed: 5 },
      ...{ evaluate: async () => ({ top1: 0, top5: 0, loss: 0, images: 1 }), ...options },
    });
    return result.then(
      () => bytesOf(trainer.state),
      () => undefined,
    );
  }

  it.each([1, 2, 4, 5])("resumes after step %i to the same bits", async (after) => {
    const whole = await run();
    const store = memoryStore();
    const stop = new AbortController();
    let steps = 0;
    const tick = () => {
      if (++steps === after) stop.abort();
    };
    const progress = { phase: () => ({ tick, done() {} }) };
    expect(await run({ store, progress, signal: stop.signal })).toBeUndefined();
    const resume = decodeCheckpoint(store.files.get("last.safetensors")!, "last");
    expect(resume.steps).toBe(after);
    expect(await run({ resume })).toEqual(whole);
    expect(Object.keys(whole!).sort()).toEqual(
      [
        ...initialState(
          step,
          new Map(
            [...step.parameters.entries, ...step.statistics.entries].map(({ name, dims }) => [
              name,
              Tensor.zeros("float32", dims),
            ]),
          ),
        ).keys(),
      ].sort(),
    );
  });
});
