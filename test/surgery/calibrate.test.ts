import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { parseNormalize } from "../../src/data/normalize.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { type CalibrateOptions, calibrate } from "../../src/surgery/calibrate.js";
import { type Swapped, swap } from "../../src/surgery/swap.js";
import { basic, folded, lively, network } from "./networks.js";

const engine = nodeEngine({ threads: 1 });
const normalize = parseNormalize("0.5/0.25");

/** Waves of random direction and colour. */
function images(count: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const waves = Array.from({ length: count }, () => [0, 1, 2, 3, 4].map(() => random.uniform(-1.5, 1.5)));
  return Uint8Array.from({ length: count * 192 }, (_, i) => {
    const [a, b, ...colour] = waves[Math.floor(i / 192)]!;
    const [y, x, c] = [Math.floor(i / 24) % 8, Math.floor(i / 3) % 8, i % 3];
    return 128 + 80 * Math.sin(a! * y + b! * x + colour[c]!) + random.int(20);
  });
}
const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 4);
const shape = { channels: 3, height: 8, width: 8, classes: ["a", "b", "c", "d"] } as const;
const data = memoryDataSet({ images: images(96, 1), labels: labels(96), ...shape });
const options: CalibrateOptions = {
  ...{ steps: 150, batch: 16, learningRate: 0.02, gateRate: 1, normalize, seed: 1, threads: 1 },
};

/** Of other images, by name. */
async function values(graph: Graph, names: readonly string[]): Promise<Float32Array[]> {
  const outputs = names.map((name) => ({ name, type: graph.types.get(name) }));
  const session = await engine.open(lower({ ...graph, outputs: [...graph.outputs, ...outputs] }));
  const pixels = Float32Array.from(images(32, 9), (v) => (v / 255 - 0.5) / 0.25);
  const nchw = pixels.map((_, i) => {
    const [n, c, at] = [Math.floor(i / 192), Math.floor(i / 64) % 3, i % 64];
    return pixels[n * 192 + at * 3 + c]!;
  });
  const results = await session.run(new Map([["input", Tensor.of("float32", [32, 3, 8, 8], nchw)]]));
  await session.release();
  return names.map((name) => results.get(name)!.data as Float32Array);
}

const distance = (a: Float32Array, b: Float32Array): number => {
  const square = (v: Float32Array) => v.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(square(a.map((x, i) => x - b[i]!)) / square(b));
};

async function errors(graph: Graph, original: Graph, { units }: Swapped): Promise<number[]> {
  const ours = await values(graph, [...units.map((u) => u.output), "logits"]);
  const theirs = await values(original, [...units.map((u) => u.target.output), "logits"]);
  return ours.map((y, i) => distance(y, theirs[i]!));
}

const teachers = { basic, folded };

describe.each(Object.keys(teachers) as (keyof typeof teachers)[])("calibration of %s blocks", (kind) => {
  const block = teachers[kind];
  const original = lively(
    network((x, r) => block(block(x, "block1", r), "block2", r)),
    3,
  );
  const swapped = swap(original, { layers: "second", seed: 1 });

  it("brings every unit, and the answers, nearer to the original's on images that it has not seen", async () => {
    const { graph, errors: reported } = await calibrate(
      engine,
      swapped.graph,
      original,
      swapped.units,
      data,
      options,
    );
    verify(graph, operators);
    expect([...reported.keys()]).toEqual(["block1.conv2", "block2.conv2"]);
    for (const [name, [before, after]] of reported) {
      expect(before, name).toBeGreaterThan(0.3);
      expect(after, name).toBeLessThan(0.8 * before);
    }
    const before = await errors(swapped.graph, original, swapped);
    const after = await errors(graph, original, swapped);
    after.forEach((error, i) => {
      expect(error, `${i}: before ${before[i]}`).toBeLessThan(0.9 * before[i]!);
    });
  });

  it("touches the units and the batch norm behind them alone", async () => {
    const few = { ...options, steps: 5 };
    const { graph } = await calibrate(engine, swapped.graph, original, swapped.units, data, few);
    const mine = new Set(swapped.units.flatMap((u) => u.norm.parameters));
    const changed = [...graph.initializers].filter(
      ([name, t]) => Buffer.compare(t.bytes, swapped.graph.initializers.get(name)!.bytes) !== 0,
    );
    const others = changed.filter(
      ([n]) => !mine.has(n) && !swapped.units.some((u) => n.startsWith(`${u.name}.`)),
    );
    expect(others).toEqual([]);
    expect(changed.some(([n]) => n === "block1.conv2.cru.gwc.weight")).toBe(true);
    expect(changed.some(([n]) => n === "block2.conv2.sru.gn.weight")).toBe(true);
    expect(graph.nodes).toEqual(swapped.graph.nodes);
  });
});

it("a calibration is the same again, and stops when told", async () => {
  const original = lively(
    network((x, r) => folded(x, "block1", r)),
    3,
  );
  const { graph, units } = swap(original, { layers: "second", seed: 1 });
  const few = { ...options, steps: 8 };
  const run = async () => (await calibrate(engine, graph, original, units, data, few)).errors;
  expect([...(await run())]).toEqual([...(await run())]);
  const signal = AbortSignal.abort();
  await expect(calibrate(engine, graph, original, units, data, { ...few, signal })).rejects.toThrowError();
});

describe("a calibration that is not gone through", () => {
  const original = lively(
    network((x, r) => basic(x, "block", r)),
    3,
  );
  const { graph, units } = swap(original, { layers: "second", seed: 1 });

  it("ends where it is told that it is enough, with what it has reached", async () => {
    const enough = new AbortController();
    let steps = 0;
    const tick = (done: number) => {
      steps = done;
      if (done === 5) enough.abort();
    };
    const { errors: reported } = await calibrate(engine, graph, original, units, data, {
      ...options,
      enough: enough.signal,
      progress: { phase: () => ({ tick, done() {} }) },
    });
    expect(steps).toBe(5);
    for (const [before, after] of reported.values()) expect(after).toBeLessThan(before);
  });

  it("says that it was the calibration that diverged", async () => {
    const wild = { ...options, learningRate: 1e30 };
    await expect(calibrate(engine, graph, original, units, data, wild)).rejects.toThrowError(
      /^the calibration diverged at step \d+ \(try a lower learning rate of the calibration\)$/,
    );
  });

  it("is refused where no batch can be filled", async () => {
    await expect(
      calibrate(engine, graph, original, units, data, { ...options, batch: 97 }),
    ).rejects.toThrowError(
      /fewer training images than one batch of the calibration.*at least 97 \(--calibrate-batch\)/,
    );
  });
});
