import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Value } from "../../src/graph/builder.js";
import { float, type Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { filled, heNormal } from "../../src/nn/init.js";
import { batchNorm, conv, linear } from "../../src/nn/layers.js";
import {
  add,
  type ConvAttributes,
  conv as convolve,
  globalAveragePool,
  identity,
  relu,
  reshape,
  SCCONV_DOMAIN,
} from "../../src/ops/emit.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import type { StepOptions } from "../../src/train/step.js";
import { expectClose } from "../ops/close.js";
import { BATCH, batchOf, bytesOf, CLASSES, program, SIZE, sharedEngine, trainerOf } from "./tiny.js";

/** Two bottlenecks over (N, 1, 8, 8): 8 channels, widened to 32 by `expand`, on both ways of the first one. */
function bottlenecks(): Graph {
  const b = graphBuilder({ name: "bottlenecks" });
  const random = new Random(3);
  const pixel = { kernel: 1 };
  const images = b.input("input", "float32", ["N", 1, SIZE, SIZE]);
  let x = relu(batchNorm(conv(images, 8, "stem", random), "stem_norm"));
  for (const block of ["one", "two"]) {
    const named = (name: string) => `${block}.${name}`;
    const narrow = relu(batchNorm(conv(x, 8, named("reduce"), random, pixel), named("reduce_norm")));
    const inner = relu(batchNorm(conv(narrow, 8, named("inner"), random), named("inner_norm")));
    const wide = batchNorm(conv(inner, 32, named("expand"), random, pixel), named("expand_norm"));
    const short =
      block === "one" ? batchNorm(conv(x, 32, named("short"), random, pixel), named("short_norm")) : x;
    x = relu(add(wide, short));
  }
  b.output(linear(reshape(globalAveragePool(x), [-1, 32]), CLASSES, "fc", random), "logits");
  return b.build();
}
const student = bottlenecks();
/** What stands between a convolution and its batch norm keeps them apart. */
const apart: Partial<StepOptions> = {
  after: (node, outputs) => (node.op === "Conv" ? [identity(outputs[0]!)] : outputs),
};
const engine = sharedEngine();

async function trained(options: Partial<StepOptions>) {
  const step = program(student, options);
  verify(step.graph, operators);
  const trainer = await trainerOf(engine, student, step);
  for (let i = 0; i < 3; i++) {
    const { images, labels } = batchOf(i);
    await trainer.step(images, labels, 0.05);
  }
  return { step, trainer };
}

describe("batch norms of what point-wise convolutions give", () => {
  it("train as the two operators do", async () => {
    const [one, two] = await Promise.all([trained({}), trained(apart)]);
    const norms = ({ step }: typeof one) =>
      step.graph.nodes.filter((n) => n.op === "BatchNormalization").length;
    // The first block's `reduce` and both ways out, the second one's way out.
    expect(norms(two) - norms(one)).toBe(4);
    for (const [name, vector] of two.trainer.state) {
      expectClose(one.trainer.state.get(name)!, vector, 1e-4, name);
    }
  });
  it("leave apart what is no such convolution, or more work than it saves", () => {
    /** Batch norms in the step of a network of one convolution with these settings, 8 or more channels from `channels`. */
    const left = (
      attributes: ConvAttributes,
      { kernel = [1, 1], channels = 8, out = 8, bias = false, readers = 1 } = {},
    ): number => {
      const b = graphBuilder({ name: "one" });
      const random = new Random(2);
      const images = b.input("input", "float32", ["N", 1, SIZE, SIZE]);
      const x = relu(conv(images, channels, "stem", random));
      const weight = heNormal(random, [out, channels / (attributes.group ?? 1), ...kernel], "float32");
      const offset = bias ? b.parameter("bias", filled([out], 0, "float32")) : undefined;
      const y = convolve(x, b.parameter("weight", weight), offset, attributes);
      const normal = batchNorm(y, "norm");
      const z = relu(readers > 1 ? add(normal, y) : normal);
      b.output(linear(reshape(globalAveragePool(z), [-1, out]), CLASSES, "fc", random), "logits");
      const { graph } = program(b.build());
      return graph.nodes.filter((n) => n.op === "BatchNormalization").length;
    };
    expect(left({})).toBe(0);
    expect(left({}, { channels: 32, out: 16 })).toBe(0);
    expect(left({}, { channels: 64, out: 16 }), "work").toBe(1);
    expect(left({ strides: [2, 2] })).toBe(1);
    expect(left({ pads: [1, 1, 1, 1] })).toBe(1);
    expect(left({ strides: [2, 1], pads: [4, 0, 3, 0] }), "as many pixels, but others").toBe(1);
    expect(left({ group: 2 })).toBe(1);
    expect(left({}, { kernel: [1, 3] })).toBe(1);
    expect(left({}, { bias: true })).toBe(1);
    expect(left({}, { readers: 2 })).toBe(1);
  });
  it("keep no wide value for the backward pass but what is read by others", () => {
    const keptOf = (options: Partial<StepOptions>) => {
      const { graph } = program(student, options);
      const isBackward = (name: string) => name.startsWith("grad.");
      const made = graph.nodes.filter((n) => !isBackward(n.name)).flatMap((n) => n.outputs);
      const read = new Set(graph.nodes.filter((n) => isBackward(n.name)).flatMap((n) => n.inputs));
      const wide = [BATCH, 32, SIZE, SIZE].join();
      return made.filter((name) => read.has(name) && graph.types.get(name)?.shape?.join() === wide).length;
    };
    // Three results of convolutions, and the blocks' own.
    expect(keptOf(apart)).toBe(3 + 2);
    expect(keptOf({})).toBe(2);
  });

  it("change nothing when they are made again", async () => {
    const states = async (options: Partial<StepOptions>) => {
      const runs = (["elementwise", "blocks"] as const).map((recompute) =>
        trained({ ...options, recompute }),
      );
      const [kept, ...again] = await Promise.all([trained(options), ...runs]);
      for (const { step } of again)
        expect(step.graph.nodes.length).toBeGreaterThan(kept!.step.graph.nodes.length);
      return { kept: kept!.trainer.state, again: again.map(({ trainer }) => trainer.state) };
    };
    const two = await states(apart);
    for (const state of two.again) expect(bytesOf(state)).toEqual(bytesOf(two.kept));
    // But for rounding: the engine runs a sum inside of a convolution where that alone reads it.
    const one = await states({});
    for (const state of one.again)
      for (const [name, vector] of one.kept) expectClose(state.get(name)!, vector, 1e-5, name);
  });
});

/** y and the gradients of Σ y ⊙ r, y the batch norm of a point-wise convolution of x, by one operator or by the two. */
function normGraph(whole: boolean, dtype: "float32" | "float64", feeds: ReadonlyMap<string, Tensor>): Graph {
  const b = graphBuilder({ name: "norm" });
  const [x, w, gamma, beta, r] = ["x", "w", "gamma", "beta", "r"].map((name) =>
    b.input(name, dtype, feeds.get(name)!.dims),
  ) as [Value, Value, Value, Value, Value];
  const y = whole
    ? b.addMany("PointwiseBatchNorm", [x, w, gamma, beta], {}, { domain: SCCONV_DOMAIN, outputs: 6 })[0]!
    : b.addMany(
        "BatchNormalization",
        [convolve(x, w), gamma, beta, ...[0, 1].map((v) => b.constant(filled(beta.dims, v, dtype)))],
        { training_mode: 1, momentum: float(0) },
        { outputs: 3 },
      )[0]!;
  const seeds = new Map([[y, r]]);
  b.output(y, "y");
  differentiate(b, undefined, [x, w, gamma, beta], { seeds }).forEach((d, i) => {
    b.output(d!, ["dx", "dw", "dgamma", "dbeta"][i]!);
  });
  return lower(b.build());
}

describe("the statistics of a point-wise convolution", () => {
  it.each([
    ["far from zero", 1000, 1, 1],
    ["of channels that are almost one", 1, 1, 0.01],
    ["of little variance", 1, 1e-3, 1],
  ])("are exact: %s", async (_, mean, common, own) => {
    const random = new Random(8);
    const [n, c, k, size] = [4, 8, 24, 12];
    const of = (dims: readonly number[], f: (i: number) => number) =>
      Tensor.from(
        "float32",
        dims,
        Float64Array.from({ length: sizeOf(dims) }, (_, i) => f(i)),
      );
    const shared = Array.from({ length: n * size * size }, () => random.normal());
    const pixels = size * size;
    const feeds = new Map([
      [
        "x",
        of([n, c, size, size], (i) => {
          const at = Math.floor(i / (c * pixels)) * pixels + (i % pixels);
          return mean + common * (shared[at]! + own * random.normal());
        }),
      ],
      ["w", of([k, c, 1, 1], () => random.normal())],
      ["gamma", of([k], () => 1 + 0.1 * random.normal())],
      ["beta", of([k], () => random.normal())],
      ["r", of([n, k, size, size], () => random.normal())],
    ]);
    const wide = new Map([...feeds].map(([name, t]) => [name, t.cast("float64")]));
    const exact = evaluateGraph(normGraph(false, "float64", wide), wide);
    const errors = await Promise.all(
      [true, false].map(async (whole) => {
        const session = await nodeEngine({ threads: 1 }).open(normGraph(whole, "float32", feeds));
        const got = await session.run(feeds);
        await session.release();
        return Object.fromEntries([...got].map(([name, t]) => [name, distance(t, exact.get(name)!)]));
      }),
    );
    const [one, two] = errors as [Record<string, number>, Record<string, number>];
    for (const name of Object.keys(two)) {
      expect(one[name], `${name}, by the two operators ${two[name]}`).toBeLessThan(5e-4);
    }
  });
});

/** ‖a − b‖ / ‖b‖ */
function distance(a: Tensor, b: Tensor): number {
  const [x, y] = [a.numbers(), b.numbers()];
  let [off, all] = [0, 0];
  for (let i = 0; i < y.length; i++) {
    off += (x[i]! - y[i]!) ** 2;
    all += y[i]! ** 2;
  }
  return Math.sqrt(off / all);
}
