import { afterAll, describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { evaluationGraph } from "../../src/train/evaluate.js";
import { unpack } from "../../src/train/flat.js";
import { adamw, sgd } from "../../src/train/optimizer.js";
import { trainableParts, withInitializers } from "../../src/train/parts.js";
import { classification } from "../../src/train/step.js";
import type { Trainer } from "../../src/train/trainer.js";
import { expectClose } from "../ops/close.js";
import {
  BATCH,
  batchOf,
  bytesOf,
  named,
  program,
  SIZE,
  sharedEngine,
  tinyNet,
  tinyNets,
  trainerOf,
} from "./tiny.js";

const engine = sharedEngine();
const open: Trainer[] = [];
afterAll(() => Promise.all(open.map((t) => t.release())));

async function started(student: Graph, options: Parameters<typeof program>[1] = {}): Promise<Trainer> {
  const trainer = await trainerOf(engine, student, program(student, options));
  open.push(trainer);
  return trainer;
}

const imagesOf = (data: Float32Array) => Tensor.of("float32", [BATCH, 1, SIZE, SIZE], data);

describe.each(Object.entries(tinyNets))("a step of a network, %s", (name, student) => {
  it("is one well-formed graph of standard operators that trains every parameter", () => {
    const step = program(student);
    verify(step.graph, operators);
    expect(step.graph.nodes.filter((n) => n.domain !== "")).toEqual([]);
    expect(step.parameters.entries.map((e) => e.name)).toEqual([
      ...trainableParts(student).parameters.keys(),
    ]);
    const weights = [...student.initializers.keys()].filter((n) => /(weight|bias)$/.test(n));
    expect(step.parameters.entries.map((e) => e.name).sort()).toEqual(weights.sort());
  });

  it("lowers the loss on a batch that it sees again", async () => {
    const trainer = await started(student);
    const { images, labels } = batchOf();
    const losses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const { figures } = await trainer.step(images, labels, 0.05);
      losses.push(figures.get("loss")!);
      expect(figures.get("gradient_norm")).toBeGreaterThan(0);
    }
    expect(losses[0]).toBeGreaterThan(0.8);
    expect(losses.at(-1)).toBeLessThan(0.3 * losses[0]!);
    expect(trainer.steps).toBe(12);
  });

  it("moves every parameter", async () => {
    const trainer = await started(student);
    const before = named(trainer);
    const { images, labels } = batchOf();
    for (let i = 0; i < 2; i++) await trainer.step(images, labels, 0.05);
    const still = [...named(trainer)].filter(([n, t]) => Buffer.compare(t.bytes, before.get(n)!.bytes) === 0);
    expect(still.map(([n]) => n)).toEqual([]);
  });

  it("leaves an evaluation graph that equals the inference graph with the same weights", async () => {
    const trainer = await started(student);
    const { images, labels } = batchOf();
    for (let i = 0; i < 3; i++) await trainer.step(images, labels, 0.02);
    const evaluation = evaluationGraph(student, trainer.program);
    verify(evaluation, operators);
    const sessions = [
      await engine.open(evaluation),
      await engine.open(lower(withInitializers(student, named(trainer)))),
    ];
    const feeds = new Map(["parameters", "statistics"].map((n) => [n, trainer.state.get(n)!]));
    const a = await sessions[0]!.run(feeds.set("images", imagesOf(images)));
    const b = await sessions[1]!.run(new Map([["input", imagesOf(images)]]));
    expectClose(a.get("logits")!, b.get("logits")!, 1e-5, name);
  });
});

describe("running statistics", () => {
  it("keep nine tenths and take a tenth of the batch's mean and biased variance", async () => {
    const student = tinyNet();
    const trainer = await started(student);
    const { images, labels } = batchOf(4);
    await trainer.step(images, labels, 0.1);
    const first = student.nodes.find((n) => n.op === "BatchNormalization")!;
    const seen = evaluateGraph(student, new Map([["input", imagesOf(images)]])).get(first.inputs[0]!)!;
    const [n, c, h, w] = seen.dims as [number, number, number, number];
    const values = seen.numbers();
    const after = named(trainer);
    for (let k = 0; k < c; k++) {
      const of = Array.from({ length: n * h * w }, (_, i) => {
        const [b, at] = [Math.floor(i / (h * w)), i % (h * w)];
        return values[(b * c + k) * h * w + at]!;
      });
      const mean = of.reduce((a, v) => a + v, 0) / of.length;
      const variance = of.reduce((a, v) => a + (v - mean) ** 2, 0) / of.length;
      expect(after.get("bn1.running_mean")!.numbers()[k]).toBeCloseTo(0.1 * mean, 5);
      expect(after.get("bn1.running_var")!.numbers()[k]).toBeCloseTo(0.9 + 0.1 * variance, 5);
    }
  });

  it("keep what `momentum` says", async () => {
    const trainer = await started(tinyNet(), { momentum: 1 });
    const before = bytesOf(trainer.state).statistics;
    const { images, labels } = batchOf(4);
    await trainer.step(images, labels, 0.1);
    expect(bytesOf(trainer.state).statistics).toBe(before);
  });
});

describe("weight decay", () => {
  it.each([
    ["sgd", (weightDecay: number) => sgd({ momentum: 0, nesterov: false, weightDecay })],
    ["adamw", (weightDecay: number) => adamw({ weightDecay })],
  ])("of %s shrinks weights, and neither norms nor biases nor the gate's γ and β", async (_, optimizer) => {
    const student = tinyNets["SCConv all"]!;
    const [decay, rate] = [0.3, 0.01];
    const trainers = [
      await started(student, { optimizer: optimizer(decay) }),
      await started(student, { optimizer: optimizer(0) }),
    ];
    const before = named(trainers[0]!);
    const { images, labels } = batchOf();
    for (const t of trainers) await t.step(images, labels, rate);
    const [withDecay, without] = trainers.map(named) as [Map<string, Tensor>, Map<string, Tensor>];
    for (const name of trainableParts(student).parameters.keys()) {
      const [a, b, w] = [withDecay, without, before].map((m) => m.get(name)!.numbers());
      const decayed = w!.length !== undefined && before.get(name)!.dims.length > 1;
      for (let i = 0; i < w!.length; i++)
        expect(a![i]! - b![i]!, name).toBeCloseTo(decayed ? -rate * decay * w![i]! : 0, 6);
    }
    expect(before.get("layer1.0.conv1.sru.gn.weight")!.dims).toHaveLength(1);
  });

  it("shrinks norms and biases too where it is told to", async () => {
    const student = tinyNet();
    const [decay, rate] = [0.3, 0.01];
    const plain = { momentum: 0, nesterov: false, weightDecay: decay };
    const trainers = [
      await started(student, { optimizer: sgd({ ...plain, decayNorms: true }) }),
      await started(student, { optimizer: sgd(plain) }),
    ];
    const before = named(trainers[0]!);
    const { images, labels } = batchOf();
    for (const t of trainers) await t.step(images, labels, rate);
    const [all, some] = trainers.map((t) => named(t).get("bn1.weight")!.numbers()) as [
      Float64Array,
      Float64Array,
    ];
    all.forEach((v, i) => {
      expect(v - some[i]!).toBeCloseTo(-rate * decay * before.get("bn1.weight")!.numbers()[i]!, 6);
    });
  });
});

describe("a parameter's own learning rate", () => {
  it("is a multiple of the step's", async () => {
    const plain = sgd({ momentum: 0, nesterov: false, weightDecay: 0 });
    const student = tinyNet();
    const [one, three, none] = [
      await started(student, { optimizer: plain }),
      await started(student, { optimizer: plain, rate: (n) => (n.startsWith("linear.") ? 3 : 1) }),
      await started(student, { optimizer: plain, trained: (n) => n.startsWith("linear.") }),
    ];
    const before = named(one);
    const { images, labels } = batchOf();
    for (const t of [one, three, none]) await t.step(images, labels, 0.1);
    const moved = (t: Trainer, name: string) => {
      const at = unpack(t.program.parameters, t.state.get("parameters")!).get(name)!.numbers();
      return Float64Array.from(at, (v, i) => v - before.get(name)!.numbers()[i]!);
    };
    const [a, b] = [one, three].map((t) => moved(t, "linear.weight")) as [Float64Array, Float64Array];
    a.forEach((d, i) => {
      expect(b[i]).toBeCloseTo(3 * d, 5);
    });
    expect(moved(three, "conv1.weight")).toEqual(moved(one, "conv1.weight"));
    // What is not trained keeps its running statistics, too.
    expect(none.program.statistics.size).toBe(0);
    expect(none.program.parameters.entries.map((e) => e.name)).toEqual(["linear.weight", "linear.bias"]);
  });
});

describe("distillation", () => {
  it("brings the student to the teacher's answers, and leaves the teacher alone", async () => {
    const [student, teacher] = [tinyNet(undefined, "second", 1), tinyNet(undefined, "second", 2)];
    const objective = classification(student, teacher, { distillWeight: 1, temperature: 2 });
    const trainer = await started(student, { teacher, objective, optimizer: adamw({ weightDecay: 0 }) });
    expect(trainer.program.parameters.entries.some((e) => e.name.startsWith("teacher."))).toBe(false);
    const { images, labels } = batchOf();
    const losses: number[] = [];
    for (let i = 0; i < 15; i++) losses.push((await trainer.step(images, labels, 0.01)).figures.get("loss")!);
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });
});
