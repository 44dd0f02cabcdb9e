import { describe, expect, it } from "vitest";
import { ScconvError } from "../../src/base/errors.js";
import { normalizations, normalizeTable, parseNormalize } from "../../src/data/normalize.js";

describe("parseNormalize", () => {
  it("knows the presets", () => {
    for (const [name, preset] of Object.entries(normalizations)) expect(parseNormalize(name)).toEqual(preset);
  });

  it("reads values for each channel or for all", () => {
    expect(parseNormalize("0.1,0.2,0.3/0.4,0.5,0.6")).toMatchObject({
      mean: [0.1, 0.2, 0.3],
      std: [0.4, 0.5, 0.6],
    });
    expect(parseNormalize("0.286/0.353")).toMatchObject({ mean: [0.286], std: [0.353] });
    const read = parseNormalize("0.5/0.25");
    expect(parseNormalize(read.name)).toEqual(read);
  });

  it.each([
    "",
    "imagnet",
    "__proto__",
    "1",
    "1/2/3",
    "a/b",
    "0.5/0",
    "0.5/-1",
    "1,2/1,2",
    "1,2,3/1",
    "/",
    "1,/1,1",
    "0/Infinity",
  ])("refuses %j with what is valid", (text) => {
    expect(() => parseNormalize(text)).toThrowError(ScconvError);
    expect(() => parseNormalize(text)).toThrowError(/--normalize: .*imagenet, cifar10, cifar100, none/);
  });
});

describe("normalizeTable", () => {
  it("holds (v/255 − mean)/std for every byte", () => {
    const table = normalizeTable(normalizations.cifar10, 3);
    expect(table[2 * 256 + 17]).toBe(Math.fround((17 / 255 - 0.4465) / 0.2616));
  });

  it("refuses three channels for one", () => {
    expect(() => normalizeTable(normalizations.imagenet, 1)).toThrowError(/"imagenet" does not fit/);
  });
});
