import { describe, expect, it } from "vitest";
import { halfToNumber, numberToBfloat, numberToHalf } from "../../src/base/half.js";
import { stridesOf, Tensor } from "../../src/base/tensor.js";

describe("half floats", () => {
  it("come back from numbers, all of them", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(halfToNumber(numberToHalf(value)))).toBe(true);
      else if (numberToHalf(value) !== bits)
        expect.fail(`${bits.toString(16)} → ${value} → ${numberToHalf(value).toString(16)}`);
    }
  });

  it.each([
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -20, 0x3c01],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [-0, 0x8000],
  ])("round to the nearest, halves to even: %d", (value, bits) => {
    expect(numberToHalf(value)).toBe(bits);
  });

  it.each([
    [1, 0x3f80],
    [1 + 2 ** -8, 0x3f80],
    [1 + 3 * 2 ** -8, 0x3f82],
    [Number.POSITIVE_INFINITY, 0x7f80],
    [3.4e38, 0x7f80],
  ])("bfloat16 likewise: %d", (value, bits) => {
    expect(numberToBfloat(value)).toBe(bits);
  });
});

describe("Tensor", () => {
  it("reads bytes at any alignment, from a Buffer too", () => {
    const bytes = new Uint8Array(new Float64Array([1.5, -2]).buffer);
    for (let shift = 0; shift < 8; shift++) {
      const buffer = Buffer.concat([Buffer.alloc(shift), bytes]);
      expect(Array.from(Tensor.ofBytes("float64", [2], buffer.subarray(shift)).numbers())).toEqual([1.5, -2]);
    }
  });

  it("does not copy where it need not", () => {
    const data = new Float32Array(4);
    expect(Tensor.of("float32", [4], data).data).toBe(data);
    expect(Tensor.of("float32", [4], data).bytes.buffer).toBe(data.buffer);
    expect(Tensor.ofBytes("float32", [2], new Uint8Array(data.buffer, 8, 8)).data.buffer).toBe(data.buffer);
  });

  it("refuses data that does not fill its dims", () => {
    expect(() => Tensor.of("float32", [2, 2], new Float32Array(3))).toThrow(/need 16 bytes, got 12/);
  });

  it("converts between element types", () => {
    const t = Tensor.from("float32", [4], [1.5, -2.5, 0, 300]);
    expect(Array.from(t.cast("int64").numbers())).toEqual([1, -2, 0, 300]);
    expect(Array.from(t.cast("bool").numbers())).toEqual([1, 1, 0, 1]);
    expect(Array.from(t.cast("float16").numbers())).toEqual([1.5, -2.5, 0, 300]);
    expect(Array.from(t.cast("bfloat16").cast("float32").numbers())).toEqual([1.5, -2.5, 0, 300]);
    expect(t.cast("float32")).toBe(t);
  });

  it("takes the largest int64 although no number is that large", () => {
    expect((Tensor.from("int64", [1], [2 ** 63]).data as BigInt64Array)[0]).toBe(2n ** 63n - 1n);
  });

  it("has strides in elements", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
  });
});
