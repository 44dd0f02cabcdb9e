import { describe, expect, it } from "vitest";
import { cifarCount, readCifar } from "../../src/data/cifar.js";
import { cifarFile } from "./cifar-file.js";

describe("readCifar", () => {
  it("turns planes into pixels", () => {
    const pixels = new Uint8Array(2 * 3072);
    const labels = new Int32Array(2);
    readCifar(cifarFile([[3], [9]]), "cifar-10", "f", pixels, labels);
    expect([...labels]).toEqual([3, 9]);
    expect([...pixels.subarray(0, 6)]).toEqual([0, 50, 100, 1, 51, 101]);
    expect([...pixels.subarray(3072, 3075)]).toEqual([1, 51, 101]);
  });

  it("takes the fine label of CIFAR-100", () => {
    const labels = new Int32Array(1);
    readCifar(cifarFile([[19, 99]]), "cifar-100", "f", new Uint8Array(3072), labels);
    expect([...labels]).toEqual([99]);
  });

  it("refuses truncated files and classes that do not exist", () => {
    expect(() => cifarCount(3072, "cifar-10", "data_batch_1.bin")).toThrowError(
      "data_batch_1.bin: not a whole number of cifar-10 records, need a multiple of 3073 bytes, got 3072",
    );
    expect(() => cifarCount(0, "cifar-100", "train.bin")).toThrowError(/3074/);
    const into = [new Uint8Array(3072), new Int32Array(1)] as const;
    expect(() => readCifar(cifarFile([[10]]), "cifar-10", "f", ...into)).toThrowError(
      /record 0 has no valid class, need 0 … 9, got 10/,
    );
  });
});
