import { describe, expect, it, vi } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { batchNorm } from "../../src/nn/layers.js";
import { octConv } from "../../src/nn/octconv.js";
import {
  type ConvUnitName,
  convUnit,
  convUnitNames,
  convUnits,
  type SlotShape,
  type UnitSettings,
} from "../../src/nn/units.js";
import { costOf } from "../../src/ops/cost.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { deploy } from "../../src/optimise/index.js";
import { trainableParts } from "../../src/train/parts.js";
import { expectClose } from "../ops/close.js";

interface Layer {
  readonly unit: ConvUnitName;
  readonly settings?: UnitSettings;
  readonly x?: readonly (number | string)[];
  readonly out?: number;
  readonly shape?: Partial<SlotShape>;
  readonly dtype?: "float32" | "float64";
}

/** A graph of one unit, with what it made as parameters. */
function layer({
  unit,
  settings = {},
  x: dims = [2, 16, 7, 5],
  out = 16,
  shape = {},
  dtype = "float32",
}: Layer) {
  const b = graphBuilder();
  const made = vi.spyOn(b, "parameter");
  const x = b.input("x", dtype, dims);
  const y = convUnit(unit, settings)(x, out, "block.conv2", new Random(3), {
    kernel: 3,
    stride: 1,
    ...shape,
  });
  b.output(y, "y");
  return { b, x, y, graph: b.build(), parameters: made.mock.results.map((r) => r.value.name as string) };
}

/** Random values everywhere, so that no norm is the identity. */
function randomised(graph: Graph, seed: number): Map<string, Tensor> {
  const random = new Random(seed, 7);
  const feeds = new Map<string, Tensor>();
  const draw = (name: string, { dtype, dims }: Pick<Tensor, "dtype" | "dims">) => {
    const positive = name.endsWith("running_var");
    const at = Float64Array.from({ length: sizeOf(dims) }, () =>
      positive ? random.uniform(0.5, 2) : 0.5 * random.normal(),
    );
    feeds.set(name, Tensor.from(dtype, dims, at));
  };
  for (const { name, type } of graph.inputs) {
    draw(name, { dtype: type!.dtype, dims: type!.shape as number[] });
  }
  for (const [name, t] of graph.initializers) {
    if (/\.(weight|bias|running_\w+)$/.test(name)) draw(name, t);
  }
  return feeds;
}

const macsOf = (graph: Graph): number =>
  costOf(graph)
    .nodes.filter(({ node }) => node.op === "Conv")
    .reduce((sum, { macs }) => sum + Number(macs), 0);

const every = (name: string, layers: readonly Layer[] = [{ unit: name as ConvUnitName }]) => layers;
const rivals: readonly Layer[] = [
  { unit: "octconv" },
  { unit: "octconv", settings: { alpha: 0.25 } },
  { unit: "spconv" },
  { unit: "spconv", settings: { alpha: 0.75, convGroups: 4 } },
  { unit: "ghost" },
  { unit: "ghost", settings: { ghostRatio: 3, ghostKernel: 5 } },
  { unit: "slimconv" },
  { unit: "slimconv", settings: { slimK: 4 / 3 } },
  { unit: "tiedconv" },
  { unit: "tiedconv", settings: { tiedBlocks: 4 } },
  { unit: "depthwise-separable" },
];
const layers: readonly Layer[] = [
  ...convUnitNames.filter((n) => !rivals.some((r) => r.unit === n)).flatMap((n) => every(n)),
  ...rivals,
];
const titled = (list: readonly Layer[]) =>
  list.map((l) => [`${l.unit} ${JSON.stringify(l.settings ?? {})}`, l] as const);

describe("the table of units", () => {
  it.each(convUnitNames)("%s says what it is and where it is from", (name) => {
    const { summary, source, defaults } = convUnits[name];
    expect(summary).toMatch(/\w/);
    expect(source).toMatch(/20\d\d|backbone/);
    expect(() => convUnit(name, defaults as UnitSettings)).not.toThrow();
  });

  it("refuses settings of another unit", () => {
    expect(() => convUnit("ghost", { alpha: 0.5 })).toThrowError(
      /the unit ghost has no such setting, need ghostRatio, ghostKernel, got alpha/,
    );
    expect(() => convUnit("standard", { slimK: 1 })).toThrowError(/need none, got slimK/);
    expect(() => convUnit("cru", { groups: 4 })).toThrowError(/got groups/);
  });
});

describe.each(titled(layers))("%s", (_, l) => {
  const width = (out: number) => Math.round(out / (l.settings?.slimK ?? 1));

  it.each([
    [3, 1, 7, 5],
    [3, 2, 7, 5],
    [3, 2, 8, 6],
    [1, 1, 6, 7],
    [1, 2, 5, 5],
    [5, 2, 9, 9],
    [3, 2, 1, 1],
  ])("kernel %i, stride %i on %i×%i", (kernel, stride, h, w) => {
    const out = 32;
    const { graph, y } = layer({ ...l, x: ["N", 16, h, w], out, shape: { kernel, stride } });
    verify(graph, operators);
    expect(y.shape).toEqual(["N", width(out), Math.ceil(h / stride), Math.ceil(w / stride)]);
  });

  it("trains everything that it has", () => {
    const { graph, parameters } = layer(l);
    const { parameters: trained, statistics } = trainableParts(graph);
    expect([...trained.keys(), ...statistics.keys()].sort()).toEqual([...parameters].sort());
    expect(parameters.every((p) => p.startsWith("block.conv2."))).toBe(true);
    expect(costOf(graph).parameters).toBe([...trained.values()].reduce((sum, t) => sum + t.size, 0));
  });

  it.each([
    [1, 7, 5],
    [2, 5, 7],
    [2, 6, 4],
  ])("the engine computes it, deployed too: stride %i on %i×%i", async (stride, h, w) => {
    const { graph } = layer({ ...l, x: [2, 16, h, w], shape: { stride } });
    const feeds = randomised(graph, 5);
    const initializers = new Map([...graph.initializers].map(([n, t]) => [n, feeds.get(n) ?? t]));
    const drawn = { ...graph, initializers };
    const wanted = evaluateGraph(drawn, new Map([["x", feeds.get("x")!]])).get("y")!;
    for (const form of [lower(drawn), deploy(drawn)]) {
      const session = await nodeEngine({ threads: 1 }).open(form);
      const got = (await session.run(new Map([["x", feeds.get("x")!]]))).get("y")!;
      await session.release();
      expectClose(got, wanted, 1e-5, l.unit);
    }
  });
});

describe.each(titled(rivals))("the gradient of %s", (_, l) => {
  it.each([
    [1, 4, 5],
    [2, 5, 4],
  ])("is that of differences: stride %i on %i×%i", (stride, h, w) => {
    const { b, x, y, parameters } = layer({
      ...l,
      ...{ x: [2, 16, h, w], out: 16, dtype: "float64", shape: { stride } },
    });
    const names = parameters.filter((n) => !/running_/.test(n));
    const wrt = [x, ...names.map((n) => b.value(n))];
    const random = new Random(11);
    const draw = (dims: readonly number[]) =>
      Float64Array.from({ length: sizeOf(dims) }, () => random.normal());
    const weight = draw(y.dims);
    const r = b.constant(Tensor.from("float64", y.dims, weight), "r");
    const gradients = differentiate(b, undefined, wrt, { seeds: new Map([[y, r]]) });
    const graph = b.build();
    const loss = (at: ReadonlyMap<string, Tensor>) => {
      const out = evaluateGraph(graph, at).get("y")!.numbers();
      return weight.reduce((sum, v, i) => sum + v * out[i]!, 0);
    };
    // At several points: a rectifier with one unit behind it may be shut at some of them.
    const moving = new Set<string>();
    for (const seed of [9, 10, 11]) {
      const point = randomised(graph, seed);
      const all = evaluateGraph(graph, point);
      wrt.forEach((v, i) => {
        const direction = draw(v.dims);
        const moved = (step: number) => {
          const at = point.get(v.name)!.numbers();
          const there = direction.map((d, j) => at[j]! + step * d);
          return loss(new Map(point).set(v.name, Tensor.from("float64", v.dims, there)));
        };
        const numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        const gradient = all.get(gradients[i]!.name)!.numbers();
        const exact = direction.reduce((sum, d, j) => sum + d * gradient[j]!, 0);
        expect(Math.abs(exact - numeric), `d${v.name}: ${exact} by rule, ${numeric}`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(numeric)),
        );
        if (Math.abs(exact) > 1e-9) moving.add(v.name);
      });
    }
    expect([...moving].sort()).toEqual(wrt.map((v) => v.name).sort());
  });
});

/** Weights (not norms and biases) and multiply-adds of one layer, C → C, 3×3 on 8×8. */
const counted = (l: Layer) => {
  const { graph } = layer({ ...l, x: [1, 64, 8, 8], out: 64 });
  const weights = [...trainableParts(graph).parameters.values()].filter((t) => t.dims.length > 1);
  return {
    weights: weights.reduce((sum, t) => sum + t.size, 0),
    macs: macsOf(graph),
    all: costOf(graph).parameters,
  };
};

describe("what a layer has, against the formulas of the papers", () => {
  const c = 64;
  const [square, pixels] = [c * c, 64];

  it("OctConv: all of the convolution's weights, 1 − ¾α(2 − α) of its multiply-adds", () => {
    for (const alpha of [0.125, 0.25, 0.5, 0.75]) {
      const { weights, macs } = counted({ unit: "octconv", settings: { alpha } });
      expect(weights).toBe(9 * square);
      expect(macs).toBe(9 * square * pixels * (1 - 0.75 * alpha * (2 - alpha)));
    }
  });

  it("SPConv: (k²/g + 1)·αC² and (1 − α)·C²", () => {
    for (const alpha of [0.125, 0.25, 0.5]) {
      const { weights, macs, all } = counted({ unit: "spconv", settings: { alpha } });
      expect(weights).toBe((9 / 2 + 1) * alpha * square + (1 - alpha) * square);
      expect(macs).toBe(weights * pixels);
      expect(all).toBe(weights + 5 * c);
    }
  });

  it("Ghost: k²C²/s and d² for each ghost (equation 5)", () => {
    for (const [s, d] of [
      [2, 3],
      [4, 5],
    ] as const) {
      const { weights, macs } = counted({ unit: "ghost", settings: { ghostRatio: s, ghostKernel: d } });
      expect(weights).toBe((9 * square) / s + d * d * (c / s) * (s - 1));
      expect(macs).toBe(weights * pixels);
    }
  });

  it("SlimConv: 2.8125 + 0.125 + 2C²/32 for k = 4/3, 3.5 + 2C²/16 for k = 1, and what the norms have", () => {
    const narrow = counted({ unit: "slimconv", settings: { slimK: 4 / 3 } });
    expect(narrow.weights).toBe(3 * square);
    expect(narrow.all).toBe(3 * square + (2 * (c / 4) + 2 * (c / 32) + c));
    expect(narrow.macs).toBe(2.9375 * square * pixels + 0.0625 * square);
    const wide = counted({ unit: "slimconv" });
    expect(wide.weights).toBe(3.625 * square);
    expect(wide.all).toBe(3.625 * square + (2 * (c / 4) + 2 * (c / 16) + c));
  });

  it("TiedConv: B² times fewer weights, B times fewer multiply-adds", () => {
    for (const tiedBlocks of [2, 4, 8]) {
      const { weights, macs } = counted({ unit: "tiedconv", settings: { tiedBlocks } });
      expect(weights).toBe((9 * square) / tiedBlocks ** 2);
      expect(macs).toBe((9 * square * pixels) / tiedBlocks);
    }
  });

  it("depthwise separable: k²C + C² (equation 5)", () => {
    const { weights, macs } = counted({ unit: "depthwise-separable" });
    expect(weights).toBe(9 * c + square);
    expect(macs).toBe(weights * pixels);
  });

  it("sru and cru: the orders s and c of SCConv", () => {
    expect(counted({ unit: "sru" }).all).toBe(9 * square + 2 * c);
    expect(counted({ unit: "cru" }).all).toBe(1.8125 * square + c);
  });
});

describe("a network of octaves", () => {
  it("keeps features in pairs from the first layer to the last", () => {
    const b = graphBuilder();
    const random = new Random(1);
    const shape = { kernel: 3, stride: 1 };
    const x = b.input("x", "float32", [1, 3, 9, 8]);
    const first = octConv({ high: x, low: undefined }, { high: 4, low: 12 }, "first", random, shape);
    expect([first.high!.dims, first.low!.dims]).toEqual([
      [1, 4, 9, 8],
      [1, 12, 5, 4],
    ]);
    const normed = { high: batchNorm(first.high!, "bn_h"), low: batchNorm(first.low!, "bn_l") };
    const next = octConv(normed, { high: 6, low: 10 }, "next", random, { kernel: 3, stride: 2 });
    expect([next.high!.dims, next.low!.dims]).toEqual([
      [1, 6, 5, 4],
      [1, 10, 3, 2],
    ]);
    const last = octConv(next, { high: 16, low: 0 }, "last", random, { kernel: 1, stride: 1 });
    expect(last.low).toBeUndefined();
    b.output(last.high!, "y");
    verify(b.build(), operators);
    expect([...b.initializers.keys()].filter((n) => /^last\..*weight$/.test(n))).toEqual([
      "last.conv_h2h.weight",
      "last.conv_l2h.weight",
    ]);
  });

  it("refuses what it cannot do", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [1, 4, 8, 8]);
    const make = (stride: number) => () =>
      octConv({ high: x, low: undefined }, { high: 4, low: 4 }, "conv1", new Random(1), {
        kernel: 3,
        stride,
      });
    expect(make(3)).toThrowError(/^conv1: OctConv: stride does not fit, need 1 or 2, got 3/);
    const nothing = { high: undefined, low: undefined };
    expect(() => octConv(nothing, { high: 1, low: 1 }, "c", new Random(1), { kernel: 3, stride: 1 })).toThrow(
      /octave convolution of nothing/,
    );
  });
});

describe("a bad setting of a rival", () => {
  const bad: readonly [string, Layer, RegExp][] = [
    ["alpha 1", { unit: "octconv", settings: { alpha: 1 } }, /OctConv: alpha .*between 0 and 1, got 1/],
    [
      "alpha too small",
      { unit: "octconv", settings: { alpha: 0.01 } },
      /at least 0.0625 for 16 channels, got 0.01/,
    ],
    ["alpha NaN", { unit: "spconv", settings: { alpha: Number.NaN } }, /SPConv: alpha .*got NaN/],
    [
      "groups",
      { unit: "spconv", settings: { convGroups: 3 } },
      /conv-groups .*divisor of the 8 representative/,
    ],
    ["groups of the output", { unit: "spconv", out: 15 }, /divisor of the 15 output channels, got 2/],
    [
      "ratio 1",
      { unit: "ghost", settings: { ghostRatio: 1 } },
      /ghost-ratio .*from 2 to the 16 output.*got 1/,
    ],
    ["ratio 1.5", { unit: "ghost", settings: { ghostRatio: 1.5 } }, /ghost-ratio .*got 1.5/],
    ["ratio 17", { unit: "ghost", settings: { ghostRatio: 17 } }, /ghost-ratio .*got 17/],
    ["even kernel", { unit: "ghost", settings: { ghostKernel: 2 } }, /ghost-kernel .*an odd number, got 2/],
    ["k", { unit: "slimconv", settings: { slimK: 1.5 } }, /SlimConv: slim-k .*need 1, 4\/3, 2, .*got 1.5/],
    ["fold", { unit: "slimconv", settings: { slimK: 2 } }, /fold of 3 that divides the 16 input channels/],
    ["odd width", { unit: "slimconv", out: 18 }, /output of a multiple of 4 channels, not of 18, got 1/],
    [
      "blocks",
      { unit: "tiedconv", settings: { tiedBlocks: 3 } },
      /tied-blocks .*divisor of the 16 input.*got 3/,
    ],
    ["blocks of the output", { unit: "tiedconv", out: 15 }, /divisor of the 15 output channels, got 2/],
    ["blocks 0", { unit: "tiedconv", settings: { tiedBlocks: 0 } }, /tied-blocks .*got 0/],
    ["image of unknown size", { unit: "octconv", x: [1, 16, "H", "W"] }, /size of the image must be known/],
  ];
  it.each(bad)("%s", (_, l, message) => {
    expect(() => layer(l)).toThrowError(message);
    expect(() => layer(l)).toThrowError(/^block\.conv2: /);
  });
});
