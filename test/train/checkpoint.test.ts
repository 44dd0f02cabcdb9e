import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { encodeSafetensors } from "../../src/runtime/safetensors.js";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
  metricsCsv,
} from "../../src/train/checkpoint.js";

const row = {
  ...{ epoch: 1, learningRate: 0.1, trainLoss: 1.25, trainTop1: 50, top1: 61.5, top5: 97, loss: 1.0625 },
  ...{ seconds: 12.3456789, imagesPerSecond: 400, idle: 0.0125 },
};
const checkpoint: Checkpoint = {
  state: new Map([
    ["parameters", Tensor.from("float32", [3], [1, -0, 1e-42])],
    ["momentum", Tensor.from("float32", [3], [0, 0, 0])],
  ]),
  ...{ steps: 7, epoch: 1, batch: 3, sums: { loss: 0.1 + 0.2, correct: 5, steps: 3 } },
  ...{ best: 61.5, seconds: 12.5, history: [row] },
};

describe("a checkpoint", () => {
  it("comes back as it was written, to the bit", () => {
    const { state, ...rest } = decodeCheckpoint(encodeCheckpoint(checkpoint), "last");
    const { state: want, ...others } = checkpoint;
    expect(rest).toEqual(others);
    for (const [name, t] of want) {
      expect(state.get(name)!.dims).toEqual(t.dims);
      expect(Buffer.compare(state.get(name)!.bytes, t.bytes)).toBe(0);
    }
  });

  it("of a run without an epoch has no best yet", () => {
    const fresh = { ...checkpoint, best: Number.NEGATIVE_INFINITY, history: [] };
    const { best } = decodeCheckpoint(encodeCheckpoint(fresh), "last");
    // Whatever comes first is better.
    expect(0 > best).toBe(true);
  });

  it("is refused where it is cut off, or is no checkpoint", () => {
    const bytes = encodeCheckpoint(checkpoint);
    expect(() => decodeCheckpoint(bytes.subarray(0, bytes.length - 1), "last")).toThrowError(/^last: /);
    const other = encodeSafetensors(checkpoint.state);
    expect(() => decodeCheckpoint(other, "last")).toThrowError(/^last: not a checkpoint of scconv/);
    const broken = encodeSafetensors(checkpoint.state, new Map([["scconv.run", "{"]]));
    expect(() => decodeCheckpoint(broken, "last")).toThrowError(
      expect.objectContaining({ name: "ScconvError", code: "bad-input" }),
    );
  });
});

describe("metrics.csv", () => {
  it("has one line an epoch under its columns", () => {
    expect(metricsCsv([row, { ...row, epoch: 2, top1: 100 / 3 }])).toMatchInlineSnapshot(`
      "epoch,learningRate,trainLoss,trainTop1,top1,top5,loss,seconds,imagesPerSecond,idle
      1,0.1,1.25,50,61.5,97,1.0625,12.345679,400,0.0125
      2,0.1,1.25,50,33.333333,97,1.0625,12.345679,400,0.0125
      "
    `);
  });
});
