import { describe, expect, it } from "vitest";
import { idxImages, readIdx } from "../../src/data/idx.js";

const idx = (dims: readonly number[], data: readonly number[], type = 8): Uint8Array =>
  Uint8Array.from([0, 0, type, dims.length, ...dims.flatMap((d) => [0, 0, d >> 8, d & 255]), ...data]);

describe("readIdx", () => {
  it("reads sizes and bytes", () => {
    expect(readIdx(idx([2, 1, 3], [1, 2, 3, 4, 5, 6]), "f")).toEqual({
      dims: [2, 1, 3],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it.each([
    ["nothing", new Uint8Array(0), /not an IDX file/],
    ["another format", Uint8Array.of(0x1f, 0x8b, 8, 0), /not an IDX file/],
    ["floats", idx([1], [0], 13), /another type/],
    ["a matrix", idx([1, 1], [0]), /another rank/],
    ["half a header", idx([2, 1, 3], []).subarray(0, 9), /header is cut off/],
    ["a truncated file", idx([2, 1, 3], [1, 2, 3]), /2×1×3 has the wrong length, need 6 bytes .*got 3/],
    ["a file too long", idx([1], [1, 2]), /wrong length/],
    ["sizes beyond any memory", Uint8Array.of(0, 0, 8, 3, ...new Array(12).fill(255)), /wrong length/],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => readIdx(bytes, "f")).toThrowError(message);
  });
});

describe("idxImages", () => {
  it("joins images and labels, with or without channels", () => {
    const labels = idx([1], [4]);
    expect(idxImages(idx([1, 2, 1], [7, 8]), "i", labels, "l")).toMatchObject({
      count: 1,
      height: 2,
      width: 1,
      channels: 1,
    });
    expect(idxImages(idx([1, 1, 1, 3], [7, 8, 9]), "i", labels, "l")).toMatchObject({ channels: 3 });
  });

  it("refuses files that do not belong together", () => {
    const images = idx([1, 2, 1], [7, 8]);
    expect(() => idxImages(images, "i", idx([2], [0, 0]), "l")).toThrowError(
      "l: labels do not fit the images, need 1, got 2",
    );
    expect(() => idxImages(images, "i", images, "l")).toThrowError(/do not fit/);
    expect(() => idxImages(idx([1], [0]), "i", idx([1], [0]), "l")).toThrowError(/does not hold images/);
  });
});
