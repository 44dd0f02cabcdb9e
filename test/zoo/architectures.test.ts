import { describe, expect, it } from "vitest";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { conv } from "../../src/nn/layers.js";
import { type ConvUnit, convUnit, convUnitNames, standardUnit } from "../../src/nn/units.js";
import { operators } from "../../src/ops/index.js";
import { trainableParts } from "../../src/train/parts.js";
import { architecture, architectures, type Where } from "../../src/zoo/index.js";
import { resnet } from "../../src/zoo/resnet.js";
import { wideResnet } from "../../src/zoo/wide-resnet.js";

const names = Object.keys(architectures);

const learned = (graph: Graph): number =>
  [...trainableParts(graph).parameters.values()].reduce((sum, t) => sum + t.size, 0);

/** Where a unit was put: layer, kernel and groups. */
function places(name: string, where: Where): string[] {
  const seen: string[] = [];
  const spy: ConvUnit = (x, out, layer, random, shape) => {
    seen.push(`${x.builder.scoped(layer)} ${shape.kernel}${shape.groups ? ` /${shape.groups}` : ""}`);
    return standardUnit(x, out, layer, random, shape);
  };
  architecture(name)({ unit: spy, where, init: "zeros" });
  return seen;
}

describe("where a unit stands", () => {
  it.each([
    // Blocks, and what the paper's figures show of them: two 3×3 in a basic block, one in a bottleneck, and projections.
    ["resnet20", [9, 18, 18]],
    ["resnet18", [8, 16, 19]],
    ["resnet50", [16, 16, 52]],
    ["resnet152", [50, 50, 154]],
    ["resnext50-32x4d", [16, 16, 52]],
    ["resnext29-8x64d", [9, 9, 30]],
    ["wrn-28-10", [12, 24, 27]],
    ["wide-resnet50-2", [16, 16, 52]],
    ["densenet121", [58, 58, 119]],
    ["densenet169", [82, 82, 167]],
    ["vgg16-bn", [12, 12, 12]],
    ["mobilenet-v2", [17, 17, 50]],
  ] as const)("%s: %j convolutions for second, all and every", (name, counts) => {
    expect((["second", "all", "every"] as const).map((w) => places(name, w).length)).toEqual(counts);
  });

  it("is the convolution nearest the addition, and the only one of a bottleneck", () => {
    expect(places("resnet20", "second")[0]).toBe("layer1.0.conv2 3");
    expect(places("resnet20", "all").slice(0, 2)).toEqual(["layer1.0.conv1 3", "layer1.0.conv2 3"]);
    expect(places("resnet50", "all")[0]).toBe("layer1.0.conv2 3");
    expect(places("wrn-16-8", "second")[0]).toBe("block1.layer.0.conv2 3");
    expect(places("vgg16-bn", "second")[0]).toBe("features.3 3");
    expect(places("densenet121-cifar", "second")[0]).toBe("features.denseblock1.denselayer1.conv2 3");
    expect(places("resnet50", "every").slice(0, 4)).toEqual([
      ...["layer1.0.conv1 1", "layer1.0.conv2 3", "layer1.0.conv3 1", "layer1.0.downsample.0 1"],
    ]);
  });

  it("knows the groups of the convolution there", () => {
    expect(places("resnext50-32x4d", "second").every((p) => p.endsWith(" 3 /32"))).toBe(true);
    expect(places("mobilenet-v2", "all")[1]).toBe("features.2.conv.1.0 3 /96");
  });
});

describe("the CIFAR forms and the networks that torchvision does not have", () => {
  it.each([
    // He 2016; the ImageNet network less its classifier and stem, plus ten classes and a 3×3 stem.
    ["resnet18-cifar", 11_689_512 - 513_000 + 5_130 - 64 * 3 * (49 - 9)],
    ["resnet50-cifar", 25_557_032 - 2_049_000 + 20_490 - 64 * 3 * (49 - 9)],
    ["densenet121-cifar", 7_978_856 - 1_025_000 + 10_250 - 64 * 3 * (49 - 9)],
    ["mobilenet-v2-cifar", 3_504_872 - 1_281_000 + 12_810],
    // Zagoruyko and Komodakis 2016, tables 4 and 5: 36.5 M and 11.0 M; exactly, what their PyTorch port counts.
    ["wrn-28-10", 36_479_194],
    ["wrn-16-8", 10_961_370],
    // Xie et al. 2017, table 7: 34.4 M.
    ["resnext29-8x64d", 34_426_698],
    ["vgg16-bn-cifar", 14_728_266],
  ] as const)("%s has %i parameters", (name, count) => {
    const graph = architecture(name)({ init: "zeros" });
    verify(graph, operators);
    expect(learned(graph)).toBe(count);
  });

  it.each(names)("%s takes SCConv, and other channels and classes", (name) => {
    const graph = architecture(name)({ init: "zeros", unit: convUnit("scconv"), channels: 1, classes: 7 });
    verify(graph, operators);
    expect(graph.outputs[0]!.type!.shape).toEqual(["N", 7]);
  });
});

describe("options", () => {
  it("a width makes all layers narrower: the rival of a slim unit", () => {
    const at = (width: number, name = "resnet20") => learned(architecture(name)({ width, init: "zeros" }));
    expect(at(2, "resnet8")).toBe(learned(architecture("resnet8-wide")({ init: "zeros" })));
    expect(at(0.75) / at(1)).toBeCloseTo(0.5625, 1);
    // torchvision.models.mobilenet_v2(width_mult=0.5) and (1.4).
    expect(at(0.5, "mobilenet-v2")).toBe(1_968_680);
    expect(at(1.4, "mobilenet-v2")).toBe(6_108_776);
    for (const name of names) expect(at(0.5, name), name).toBeLessThan(at(1, name));
  });

  it("weights start as torchvision's do", () => {
    const deviation = (graph: Graph, weight: string) => {
      const w = Array.from(graph.initializers.get(weight)!.numbers());
      return Math.sqrt(w.reduce((sum, v) => sum + v * v, 0) / w.length);
    };
    const r18 = architecture("resnet18")({ width: 0.5, seed: 3 });
    expect(deviation(r18, "layer3.0.conv2.weight")).toBeCloseTo(Math.sqrt(2 / (9 * 128)), 2);
    const bias = r18.initializers.get("fc.bias")!.numbers();
    expect(Math.max(...Array.from(bias))).toBeGreaterThan(0.9 / Math.sqrt(256));
    expect(Math.max(...Array.from(bias))).toBeLessThanOrEqual(1 / Math.sqrt(256));
    // DenseNet by fan-in: 128 → 32 channels.
    const dense = architecture("densenet121-cifar")({ seed: 3 });
    const conv2 = "features.denseblock1.denselayer1.conv2.weight";
    expect(deviation(dense, conv2) / Math.sqrt(2 / (9 * 128))).toBeCloseTo(1, 1);
    const mobile = architecture("mobilenet-v2-cifar")({ seed: 3 });
    expect(deviation(mobile, "classifier.1.weight")).toBeCloseTo(0.01, 3);
  });

  it("without weights it is the same graph", () => {
    const [a, b] = (["random", "zeros"] as const).map((init) => architecture("resnet20")({ init }));
    expect(b!.nodes).toEqual(a!.nodes);
    expect([...b!.initializers].map(([n, t]) => [n, t.dims])).toEqual(
      [...a!.initializers].map(([n, t]) => [n, t.dims]),
    );
    expect(b!.initializers.get("layer1.0.conv1.weight")!.numbers()).toEqual(new Float32Array(16 * 16 * 9));
  });
});

describe("what does not fit is said", () => {
  it.each(convUnitNames)(
    "%s is refused nowhere in its usual places, or by a line that names the layer",
    (unit) => {
      for (const name of names) {
        try {
          architecture(name)({ init: "zeros", unit: convUnit(unit), where: "second" });
        } catch (error) {
          expect((error as Error).message, name).toMatch(/^(layer|block|features)[\w.]*: .*need .*got /);
        }
      }
    },
  );

  it("a unit that returns fewer channels, before an addition", () => {
    const narrow: ConvUnit = (x, out, name, random, shape) => conv(x, (out * 3) / 4, name, random, shape);
    expect(() => architecture("resnet20")({ unit: narrow, where: "second" })).toThrowError(
      /layer1\.0\.add: what the block makes does not fit the addition, need the 16 of the shortcut, got 12 channels/,
    );
    // Where another convolution follows, it takes its width from what comes.
    const graph = architecture("resnet50-cifar")({ unit: narrow, init: "zeros" });
    verify(graph, operators);
    expect(graph.initializers.get("layer1.0.conv3.weight")!.dims).toEqual([256, 48, 1, 1]);
  });

  it("depths and sizes that a network does not have", () => {
    expect(() => wideResnet({ depth: 20, widen: 1 })).toThrowError(/no wide ResNet has this depth.*got 20/);
    expect(() => architecture("vgg16-bn")({ size: 200 })).toThrowError(
      /vgg16-bn: .*multiple of 224, got features of 6×6 \(vgg16-bn-cifar takes other sizes\)/,
    );
    expect(() => resnet({ block: "basic", stages: [1], form: "imagenet", size: 1 })).not.toThrow();
    expect(() => architecture("vgg16-bn-cifar")({ size: 8 })).toThrowError();
    expect(architecture("vgg16_bn")({ init: "zeros" }).name).toBe("vgg16-bn");
  });
});
