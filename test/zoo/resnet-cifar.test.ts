import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { scconvUnit, standardUnit } from "../../src/nn/units.js";
import { bindSizes } from "../../src/ops/bind.js";
import { costOf } from "../../src/ops/cost.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { prepare } from "../../src/surgery/prepare.js";
import { planSwap } from "../../src/surgery/swap.js";
import { trainableParts } from "../../src/train/parts.js";
import { architecture, architectures } from "../../src/zoo/index.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

const learned = (graph: Graph): number =>
  [...trainableParts(graph).parameters.values()].reduce((sum, t) => sum + t.size, 0);

const build = (name: string, options: Partial<Parameters<ReturnType<typeof architecture>>[0]> = {}) =>
  architecture(name)({ classes: 10, channels: 3, size: 32, unit: standardUnit, seed: 0, ...options });

/**
 * The literature's 0.27, 0.46, 0.66, 0.85 and 1.7 M (He et al. 2016, table 6), exactly: y-ky and akamaster's PyTorch
 * implementations count 269,722 for ResNet-20 with parameter-free shortcuts, and every further block adds its own.
 */
const published = { resnet20: 269_722, resnet32: 464_154, resnet44: 658_586, resnet56: 853_018 } as const;

/** Weights of a unit in place of a 3×3 convolution of C channels: 1.8125 C², GWC's bias, γ and β. */
const unit = (c: number) => 1.8125 * c * c + 3 * c;

describe("CIFAR ResNets", () => {
  it.each(Object.entries(published))("%s has %i parameters", (name, count) => {
    const graph = build(name);
    verify(graph, operators);
    expect(learned(graph)).toBe(count);
  });

  it("resnet110 has 1.73 M", () => {
    expect(learned(build("resnet110"))).toBe(1_727_962);
  });

  it.each([
    ["resnet20", 3],
    ["resnet56", 9],
  ] as const)("%s with SCConv second has what SPEC.md counts", (name, blocks) => {
    const graph = build(name, { unit: scconvUnit(), where: "second" });
    verify(graph, operators);
    const saved = [16, 32, 64].reduce((sum, c) => sum + blocks * (9 * c * c - unit(c)), 0);
    expect(learned(graph)).toBe(published[name] - saved);
    // 0.853 M → 0.51 M.
    if (name === "resnet56") expect(Math.round(learned(graph) / 1e4) / 100).toBe(0.51);
  });

  it("40.55 M multiply-adds for ResNet-20 in its convolutions and classifier", () => {
    const { nodes } = costOf(bindSizes(build("resnet20"), new Map([["N", 1]])));
    const products = nodes.filter(({ node }) => node.op === "Conv" || node.op === "Gemm");
    expect(products.reduce((sum, { macs }) => sum + Number(macs), 0)).toBe(40_551_040);
  });

  it("names its parameters as the public implementations do", () => {
    const names = [...trainableParts(build("resnet20")).parameters.keys()];
    expect(names.slice(0, 5)).toEqual([
      ...["conv1.weight", "bn1.weight", "bn1.bias", "layer1.0.conv1.weight", "layer1.0.bn1.weight"],
    ]);
    expect(names.slice(-2)).toEqual(["linear.weight", "linear.bias"]);
    expect(names).toHaveLength(3 * 19 + 2);
    expect([...trainableParts(build("resnet20")).statistics.keys()]).toHaveLength(2 * 19);
    const units = [...trainableParts(build("resnet20", { unit: scconvUnit() })).parameters.keys()];
    expect(units).toContain("layer3.2.conv2.sru.gn.weight");
    expect(units).toContain("layer3.2.conv2.cru.pwc2.weight");
    expect(units).not.toContain("layer3.2.conv2.weight");
  });

  it.each([
    ["one channel, 28×28, 7 classes", { channels: 1, size: 28, classes: 7 }],
    ["odd size", { size: 9 }],
    ["SCConv in both places", { unit: scconvUnit(), where: "all" as const, size: 10 }],
  ])("%s runs", async (_, options) => {
    const graph = build("resnet8", options);
    verify(graph, operators);
    const {
      channels = 3,
      size = 32,
      classes = 10,
    } = options as { channels?: number; size?: number; classes?: number };
    const session = await nodeEngine({ threads: 1 }).open(lower(graph));
    const images = Tensor.zeros("float32", [2, channels, size, size]);
    images.data.fill(0.5 as never);
    const { dims, data } = (await session.run(new Map([["input", images]]))).get("logits")!;
    await session.release();
    expect([...dims]).toEqual([2, classes]);
    expect((data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  it("is the same for the same seed, and another for another", () => {
    const bytes = (seed: number) =>
      [...build("resnet8", { seed, unit: scconvUnit() }).initializers].map(([n, t]) => [n, [...t.bytes]]);
    expect(bytes(4)).toEqual(bytes(4));
    const [a, b] = [new Map(bytes(4) as [string, number[]][]), new Map(bytes(5) as [string, number[]][])];
    expect(a.get("conv1.weight")).not.toEqual(b.get("conv1.weight"));
  });

  it("starts He-normal: convolutions keep the scale of what passes", () => {
    const weight = build("resnet20").initializers.get("layer3.1.conv1.weight")!.numbers();
    const square = Array.from(weight).reduce((sum, w) => sum + w * w, 0) / weight.length;
    expect(square / (2 / (64 * 9))).toBeCloseTo(1, 1);
  });

  it("is what surgery takes: the second of each block, all but the first convolution", () => {
    const graph = prepare(build("resnet20"));
    expect(planSwap(graph, { layers: "second" }).swapped.map((c) => c.name)).toHaveLength(9);
    expect(planSwap(graph, { layers: "all" }).swapped).toHaveLength(18);
  });

  it("refuses other depths and names", () => {
    expect(() => resnetCifar({ depth: 21 })).toThrowError(
      /no CIFAR ResNet has this depth, need 6n \+ 2.*got 21/,
    );
    expect(() => resnetCifar({ depth: 2 })).toThrowError(/got 2/);
    expect(() => architecture("resnet21")).toThrowError(
      /"resnet21", need one that scconv zoo lists \(did you mean resnet20\?\)/,
    );
    expect(() => architecture("toString")).toThrowError(/no architecture is called/);
    expect(Object.keys(architectures)).toEqual(expect.arrayContaining(["resnet44", "resnet110"]));
  });
});
