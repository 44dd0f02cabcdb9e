import { describe, expect, test } from "vitest";
import { dtypes } from "../../src/base/dtype.js";
import { Random } from "../../src/base/random.js";
import { sizeOf } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { batchNorm, conv, linear } from "../../src/nn/layers.js";
import { convUnit, scconvUnit } from "../../src/nn/units.js";
import { globalAveragePool, maxPool, mul, reduceSum, relu, reshape, transpose } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { adamw, sgd } from "../../src/train/optimizer.js";
import type { Recomputed } from "../../src/train/recomputed-segments.js";
import { buildStep, classification } from "../../src/train/step.js";
import { architecture } from "../../src/zoo/index.js";
import { expectClose } from "../ops/close.js";
import { asRun } from "../runtime/as-run.js";
import {
  batchOf,
  CLASSES,
  program,
  SIZE,
  sharedEngine,
  bytesOf as stateBytes,
  tinyNet,
  tinyNets,
  trainerOf,
} from "./tiny.js";

const BATCH = 8;

function bytesOf({ types }: Graph, name: string): number {
  const type = types.get(name);
  const dims = (type?.shape ?? []).map((d) => (typeof d === "number" ? d : BATCH));
  return type ? sizeOf(dims) * dtypes[type.dtype].bytes : 0;
}

/** The most bytes that are alive at once. */
function held(graph: Graph): number {
  const last = new Map(graph.nodes.flatMap((n, i) => n.inputs.map((x) => [x, i] as const)));
  const alive = new Map<string, number>();
  let [now, peak] = [0, 0];
  graph.nodes.forEach((node, i) => {
    for (const out of node.outputs) {
      const size = bytesOf(graph, out);
      alive.set(out, size);
      now += size;
    }
    peak = Math.max(peak, now);
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      if ((last.get(name) ?? i) > i) continue;
      now -= alive.get(name) ?? 0;
      alive.delete(name);
    }
  });
  return peak;
}

describe("what a step holds at once", () => {
  const stepOf = (conv: "standard" | "scconv", recompute?: Recomputed) => {
    const student = architecture("resnet20")({
      ...{ classes: 10, channels: 3, size: 32, where: "all", seed: 0, unit: convUnit(conv, {}) },
    });
    const objective = classification(student, undefined, {});
    return buildStep({ student, batch: BATCH, optimizer: sgd(), objective, recompute });
  };
  /** Bytes of what the forward pass makes for the backward pass. */
  const keptBytes = (run: Graph): number => {
    const inForward = (name: string) => name.startsWith("student.");
    const kept = new Set(run.nodes.filter((n) => !inForward(n.name)).flatMap((n) => n.inputs));
    const forward = run.nodes.filter((n) => inForward(n.name)).flatMap((n) => n.outputs);
    return forward.reduce((sum, name) => sum + (kept.has(name) ? bytesOf(run, name) : 0), 0);
  };

  test.each([
    ["standard", 1.2, 0.85],
    ["scconv", 1.05, 0.4],
  ] as const)("a training step of ResNet-20 (%s)", async (conv, most, checkpointed) => {
    const { graph } = stepOf(conv);
    verify(graph, operators);
    const run = await asRun(graph);
    const bytes = keptBytes(run);
    // It has to be kept; next to nothing else is.
    expect(held(run)).toBeLessThan(most * bytes);
    // With checkpoints it need not be, and the engine does not undo them.
    const again = stepOf(conv, "blocks").graph;
    verify(again, operators);
    expect(held(await asRun(again))).toBeLessThan(checkpointed * bytes);
  });

  test("the gradient of a pool holds few images at once", async () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [2, 4, 16, 16]);
    const y = maxPool(relu(x), 3, 2, 1);
    const [dx] = differentiate(b, reduceSum(mul(y, y), [0, 1, 2, 3], false), [x]);
    b.output(dx!, "dx");
    const run = await asRun(b.build());
    const image = 4 * sizeOf([2, 4, 16, 16]);
    expect(held(run)).toBeLessThan(7 * image);
  });

  /** Pixels and channels that are shuffled: what enters a segment is reshaped first of all. */
  const shuffled = (): Graph => {
    const b = graphBuilder({ name: "shuffled" });
    const random = new Random(4);
    const pixels = reshape(b.input("input", "float32", ["N", 1, SIZE, SIZE]), [-1, SIZE, SIZE, 1]);
    let x = reshape(transpose(pixels, [0, 2, 1, 3]), [-1, 1, SIZE, SIZE]);
    for (const name of ["a", "b", "c"]) {
      const groups = reshape(conv(x, 8, `conv_${name}`, random), [-1, 2, 4, SIZE, SIZE]);
      const mixed = reshape(transpose(groups, [0, 2, 1, 3, 4]), [-1, 8, SIZE, SIZE]);
      x = relu(batchNorm(mixed, `bn_${name}`));
    }
    const logits = linear(reshape(globalAveragePool(x), [-1, 8]), CLASSES, "fc", random);
    b.output(logits, "logits");
    return b.build();
  };

  test("weights do not tell which values are large", () => {
    const b = graphBuilder({ name: "wide" });
    const random = new Random(5);
    const images = b.input("input", "float32", ["N", 1, SIZE, SIZE]);
    const y = relu(batchNorm(conv(images, 8, "conv", random), "norm"));
    const rows = reshape(y, [-1, 8 * SIZE * SIZE]);
    b.output(linear(relu(linear(rows, 2048, "hidden", random)), CLASSES, "fc", random), "logits");
    const { graph } = program(b.build(), { recompute: "elementwise" });
    const again = graph.nodes.flatMap((n) => n.outputs).filter((n) => /norm.*again/.test(n));
    expect(again).not.toEqual([]);
  });

  test.each(["standard", "SCConv all", "shuffled"])("checkpoints change no bit: %s", async (name) => {
    const student = tinyNets[name] ?? shuffled();
    const engine = sharedEngine();
    const states = [];
    for (const recompute of [undefined, "elementwise", "blocks"] as const) {
      const step = program(student, { recompute });
      const trainer = await trainerOf(engine, student, step);
      for (let i = 0; i < 3; i++) {
        const { images, labels } = batchOf(i);
        await trainer.step(images, labels, 0.05);
      }
      states.push({ nodes: step.graph.nodes.length, bytes: stateBytes(trainer.state) });
    }
    const [kept, ...again] = states;
    expect(Math.max(...again.map((s) => s.nodes))).toBeGreaterThan(kept!.nodes);
    for (const { bytes } of again) expect(bytes).toEqual(kept!.bytes);
  });
});

describe("a step in segments", () => {
  const student = tinyNet(scconvUnit(), "all");
  const engine = sharedEngine();
  const adam = {
    optimizer: adamw({ weightDecay: 0.05 }),
    average: 0.9,
    rate: (n: string) => (n.includes("conv1") ? 2 : 1),
  };

  test.each([
    ["one batch", { optimizer: sgd() }],
    ["averaged, in parts, at two rates", { ...adam, accumulate: 2 }],
  ])("is the step in one vector: %s", async (_, options) => {
    const [whole, cut] = await Promise.all(
      [undefined, 150].map(async (ownSegment) => {
        const step = program(student, { ...options, ownSegment });
        return { step, trainer: await trainerOf(engine, student, step) };
      }),
    );
    expect(whole!.step.segments.length).toBe(1);
    expect(cut!.step.segments.length).toBeGreaterThan(5);
    expect(cut!.step.graph.inputs.map((i) => i.name)).toContain("parameters.5");
    verify(cut!.step.graph, operators);
    for (let i = 0; i < 3; i++) {
      const { images, labels } = batchOf(i);
      const [a, b] = await Promise.all(
        [whole!, cut!].map(({ trainer }) => trainer.step(images, labels, 0.05)),
      );
      for (const [name, value] of a!.figures) expect(b!.figures.get(name)).toBeCloseTo(value, 5);
    }
    for (const [name, vector] of whole!.trainer.state) {
      expectClose(cut!.trainer.state.get(name)!, vector, 1e-5);
    }
  });
});
