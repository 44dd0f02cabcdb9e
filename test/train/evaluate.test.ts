import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import type { NamedTensors, Session } from "../../src/runtime/session.js";
import { AccuracyMeter, checkLabels, evaluate } from "../../src/train/evaluate.js";
import { tinyData } from "./tiny.js";

describe("the accuracy meter", () => {
  const meter = (rows: readonly (readonly number[])[], labels: readonly number[]) => {
    const m = new AccuracyMeter();
    m.add(Float32Array.from(rows.flat()), rows[0]!.length, Int32Array.from(labels));
    return m.result;
  };

  it("counts first places, first five places, and the mean cross entropy", () => {
    const row = [5, 4, 3, 2, 1, 0, -1];
    const { top1, top5, loss, images } = meter([row, row, row, row], [0, 1, 4, 5]);
    expect([top1, top5, images]).toEqual([25, 75, 4]);
    const log = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
    expect(loss).toBeCloseTo(log - (5 + 4 + 1 + 0) / 4, 6);
  });

  it("gives a tie to the first of the classes, so that a net that says nothing is right once in K", () => {
    const flat = [0, 0, 0, 0];
    expect(meter([flat, flat, flat, flat], [0, 1, 2, 3]).top1).toBe(25);
  });

  it("does not overflow, ignores padding, and is 0 over nothing", () => {
    expect(meter([[1e4, -1e4]], [1]).loss).toBe(2e4);
    const m = new AccuracyMeter();
    m.add(Float32Array.of(1, 0, 7, 7), 2, Int32Array.of(0));
    expect(m.result).toMatchObject({ images: 1, top1: 100 });
    expect(new AccuracyMeter().result).toEqual({ top1: 0, top5: 0, loss: 0, images: 0 });
  });

  it("counts a logit that is not a number as a miss", () => {
    expect(meter([[Number.NaN, Number.NaN]], [0]).top1).toBe(0);
  });
});

describe("evaluate", () => {
  const data = tinyData(8, 10);
  /** Says class (first pixel > 0) ? 1 : 0 and remembers what it was fed. */
  const session = (seen: NamedTensors[]): Session => ({
    inputs: ["x"],
    outputs: ["y"],
    async run(feeds) {
      seen.push(feeds);
      const [n] = feeds.get("x")!.dims;
      return new Map([["y", Tensor.zeros("float32", [n!, 4])]]);
    },
    release: async () => {},
  });
  const ends = { input: "x", output: "y" };
  const normalize = normalizations.none;

  it("sees every image once, the last batch as short as it is", async () => {
    const seen: NamedTensors[] = [];
    const counts: number[] = [];
    const onBatch = (images: number) => void counts.push(images);
    const feeds = new Map([["w", Tensor.scalar("float32", 1)]]);
    const result = await evaluate(session(seen), ends, data, { normalize, batch: 4, onBatch }, feeds);
    expect(result).toMatchObject({ images: 10, top1: 30 });
    expect(counts).toEqual([4, 8, 10]);
    expect(seen.map((f) => f.get("x")!.dims)).toEqual([4, 4, 2].map((n) => [n, 1, 8, 8]));
    expect(seen.every((f) => f.has("w"))).toBe(true);
  });

  it("pads the last batch for a model with a fixed one", async () => {
    const seen: NamedTensors[] = [];
    const result = await evaluate(session(seen), { ...ends, fixedBatch: 4 }, data, { normalize });
    expect(result.images).toBe(10);
    expect(seen.map((f) => f.get("x")!.dims[0])).toEqual([4, 4, 4]);
    const lastBatch = seen[2]!.get("x")!.data as Float32Array;
    expect(lastBatch.subarray(2 * 64).every((v) => v === 0)).toBe(true);
    expect(lastBatch.subarray(0, 2 * 64).some((v) => v !== 0)).toBe(true);
  });

  it("refuses more classes than logits, and data without an evaluation split", async () => {
    const five = { ...data, classes: ["a", "b", "c", "d", "e"] };
    await expect(evaluate(session([]), ends, five, { normalize })).rejects.toThrowError(
      /more classes than the model has outputs, need at most 4, got 5 classes/,
    );
    expect(() => checkLabels(Int32Array.of(0, 11), 10, data)).toThrowError(/got 12 classes/);
    const shape = { channels: 1, height: 8, width: 8, classes: ["a"] } as const;
    const bare = memoryDataSet({ images: new Uint8Array(64), labels: [0], ...shape });
    await expect(evaluate(session([]), ends, bare, { normalize })).rejects.toThrowError(
      /no evaluation split/,
    );
  });
});
