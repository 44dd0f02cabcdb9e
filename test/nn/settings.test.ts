import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf } from "../../src/base/tensor.js";
import { cruDefaults, cruParameters } from "../../src/nn/cru.js";
import { type ScconvSettings, scconvDefaults, scconvParameters } from "../../src/nn/scconv.js";
import { sru, sruDefaults, sruParameters } from "../../src/nn/sru.js";
import { graphBuilder } from "../../src/ops/index.js";

describe("parameters", () => {
  function count(input: number, output: number, settings: Partial<ScconvSettings> = {}) {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, input, 8, 8]);
    const all = { ...scconvDefaults, ...settings };
    b.scope("block.conv2", () => scconvParameters(x, output, all, new Random(1)));
    return new Map([...b.build().initializers].map(([name, t]) => [name, t.dims]));
  }
  const weights = (dims: ReadonlyMap<string, readonly number[]>) =>
    [...dims].reduce(
      (sum, [name, d]) => (name.endsWith(".weight") && d.length > 1 ? sum + sizeOf(d) : sum),
      0,
    );

  it.each([16, 64, 256])("are 1.8125 C² for C = %i, where a 3×3 convolution has 9 C²", (c) => {
    expect(weights(count(c, c))).toBe(1.8125 * c * c);
  });

  it("have the names and shapes of SPEC.md", () => {
    expect([...count(32, 48)]).toEqual([
      ["block.conv2.sru.gn.weight", [32]],
      ["block.conv2.sru.gn.bias", [32]],
      ["block.conv2.cru.squeeze_up.weight", [8, 16, 1, 1]],
      ["block.conv2.cru.squeeze_low.weight", [8, 16, 1, 1]],
      ["block.conv2.cru.gwc.weight", [48, 4, 3, 3]],
      ["block.conv2.cru.gwc.bias", [48]],
      ["block.conv2.cru.pwc1.weight", [48, 8, 1, 1]],
      ["block.conv2.cru.pwc2.weight", [40, 8, 1, 1]],
    ]);
  });

  it("have no pwc2 where l = C_out, as in DenseNet-121", () => {
    expect([...count(128, 32).keys()].some((name) => name.includes("pwc2"))).toBe(false);
  });

  it("are those of the one unit alone in orders s and c", () => {
    expect([...count(16, 16, { order: "c" }).keys()].some((n) => n.includes("sru"))).toBe(false);
    const alone = count(16, 24, { order: "s" });
    expect([...alone.keys()].map((n) => n.replace("block.conv2.", ""))).toEqual([
      ...["sru.gn.weight", "sru.gn.bias", "conv.weight"],
    ]);
    expect(alone.get("block.conv2.conv.weight")).toEqual([24, 16, 3, 3]);
  });

  it("of order cs gate the output's width", () => {
    expect(count(16, 24, { order: "cs" }).get("block.conv2.sru.gn.weight")).toEqual([24]);
  });
});

describe("a bad setting", () => {
  const build = (input: number, output: number, settings: Partial<ScconvSettings>) => () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, input, 8, 8]);
    const all = { ...scconvDefaults, ...settings };
    b.scope("layer1.0.conv2", () => scconvParameters(x, output, all, new Random(1)));
  };
  /** Layer, what does not fit, value, and what would be valid. */
  const bad: readonly [string, () => void, RegExp][] = [
    ["C odd", build(15, 15, {}), /number of channels does not fit, need an even number, got 15/],
    ["groups", build(16, 16, { groups: 5 }), /groups does not fit, need a divisor of the 16 channels, got 5/],
    ["groups 0", build(16, 16, { groups: 0 }), /groups does not fit, .*got 0/],
    ["half a group", build(16, 16, { groups: 1.5 }), /groups does not fit, .*got 1\.5/],
    ["threshold 0", build(16, 16, { threshold: 0 }), /threshold does not fit, need .*between 0 and 1, got 0/],
    ["threshold 1", build(16, 16, { threshold: 1 }), /threshold does not fit, .*got 1/],
    ["threshold NaN", build(16, 16, { threshold: Number.NaN }), /threshold does not fit, .*got NaN/],
    ["alpha 0", build(16, 16, { alpha: 0 }), /alpha does not fit, need .*between 0 and 1, got 0/],
    ["alpha 1", build(16, 16, { alpha: 1 }), /alpha does not fit, .*got 1/],
    ["alpha NaN", build(16, 16, { alpha: Number.NaN }), /alpha does not fit, .*got NaN/],
    ["⌊αC⌋ = 0", build(16, 16, { alpha: 0.05 }), /upper part .*need a positive multiple of squeeze 2.*got 0/],
    ["⌊αC⌋ mod r", build(16, 16, { squeeze: 3 }), /upper part .*multiple of squeeze 3 \(of 16 chan.*got 8/],
    [
      "rest mod r",
      build(18, 18, { groups: 2, alpha: 0.23, convGroups: 1, squeeze: 4 }),
      /lower part .*got 14/,
    ],
    ["squeeze 0", build(16, 16, { squeeze: 0 }), /squeeze does not fit, need a whole number.*got 0/],
    ["u mod g", build(16, 15, { convGroups: 3 }), /conv-groups .*divisor of the 4 squeezed upper.*got 3/],
    ["C_out mod g", build(16, 15, {}), /conv-groups .*divisor of the 15 output channels, got 2/],
    ["convGroups 0", build(16, 16, { convGroups: 0 }), /conv-groups .*whole number.*got 0/],
    ["l > C_out", build(16, 2, {}), /squeezed lower part .*at most the 2 output channels, got 4/],
    ["even kernel", build(16, 16, { kernel: 4 }), /kernel does not fit, need an odd number, got 4/],
    ["parallel", build(16, 24, { order: "parallel" }), /order parallel .*need equal widths, got 16 → 24/],
    ["cs, odd output", build(16, 15, { order: "cs", convGroups: 1 }), /number of channels.*even.*got 15/],
  ];
  it.each(bad)("%s", (_, make, message) => {
    expect(make).toThrowError(message);
    expect(make).toThrowError(/^layer1\.0\.conv2/);
    expect(make).toThrowError(expect.objectContaining({ code: "bad-setting" }));
  });

  it("is refused by the layers themselves, too", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, 6, 4, 4]);
    expect(() => sru(x, sruParameters(x, 6, sruDefaults), sruDefaults)).toThrowError(/^sru: SRU: groups/);
    expect(() => cruParameters(x, 6, cruDefaults, new Random(1))).toThrowError(/^cru: CRU: the upper part/);
  });
});
