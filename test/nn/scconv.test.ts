import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { verify } from "../../src/graph/verify.js";
import {
  checkScconv,
  type ScconvSettings,
  scconv,
  scconvDefaults,
  scconvParameters,
} from "../../src/nn/scconv.js";
import { sru, sruParameters } from "../../src/nn/sru.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { expectClose } from "../ops/close.js";
import { type Features, scconvReference, sruReference, type Weight } from "./reference.js";

const TIGHT = 1e-12;

function values(dims: readonly number[], key: number): Tensor {
  const random = new Random(5, key);
  return Tensor.from(
    "float64",
    dims,
    Float64Array.from({ length: sizeOf(dims) }, () => random.normal()),
  );
}

const asFeatures = ({ dims: [n, c, h, w], data }: Tensor): Features => ({
  ...{ n: n!, c: c!, h: h!, w: w! },
  at: data as Float64Array,
});
const asTensor = ({ n, c, h, w, at }: Features): Tensor => Tensor.from("float64", [n, c, h, w], at);

interface Case {
  readonly name: string;
  readonly input?: number;
  readonly output?: number;
  readonly size?: readonly [number, number];
  readonly settings?: Partial<ScconvSettings>;
}

/** The unit's graph with random parameters, γ and β included, evaluated in float64, and the same from the page. */
function bothWays({ input = 16, output = input, size = [7, 5], settings }: Case) {
  const all = { ...scconvDefaults, ...settings };
  const b = graphBuilder();
  const x = b.input("x", "float64", [2, input, ...size]);
  const y = scconv(x, scconvParameters(x, output, all, new Random(1)), all);
  b.output(y, "y");
  const graph = b.build();
  verify(graph, operators);
  const feeds = new Map([["x", values([2, input, ...size], 0)]]);
  const weights = new Map<string, Weight>();
  for (const [name, t] of graph.initializers) {
    if (!/^(sru|cru|conv)\./.test(name) || t.dims.length === 0) continue;
    if (!/(weight|bias)$/.test(name)) continue;
    const random = values(t.dims, weights.size + 1);
    feeds.set(name, random);
    weights.set(name, { dims: t.dims, at: random.data as Float64Array });
  }
  const got = evaluateGraph(graph, feeds).get("y")!;
  const want = asTensor(scconvReference(asFeatures(feeds.get("x")!), weights, all));
  return { got, want, weights };
}

const odd = [7, 5] as const;
const cases: readonly Case[] = [
  { name: "the defaults" },
  ...(["straight-through", "hard", "soft"] as const).flatMap((gate) =>
    (["element", "channel"] as const).map((scope) => ({
      name: `${gate} gate, scope ${scope}`,
      settings: { gate, scope },
    })),
  ),
  ...(["sc", "cs", "parallel", "s", "c"] as const).flatMap((order) =>
    [1, 2].map((stride) => ({ name: `order ${order}, stride ${stride}`, settings: { order, stride } })),
  ),
  { name: "stride 2, even size", size: [8, 6], settings: { stride: 2 } },
  { name: "stride 3, size 7×5", size: odd, settings: { stride: 3 } },
  { name: "stride 2, one pixel", size: [1, 1], settings: { stride: 2 } },
  { name: "alpha 1/4", settings: { alpha: 0.25 } },
  { name: "alpha 3/4", settings: { alpha: 0.75 } },
  { name: "alpha that rounds down", settings: { alpha: 0.3 } },
  { name: "squeeze 1", settings: { squeeze: 1 } },
  { name: "squeeze 4, one group", settings: { squeeze: 4, convGroups: 1 } },
  { name: "four groups", settings: { convGroups: 4 } },
  { name: "kernel 5", settings: { kernel: 5 } },
  { name: "kernel 1", settings: { kernel: 1 } },
  { name: "dilation 2", settings: { dilation: 2 } },
  { name: "kernel 5, dilation 2, stride 2", settings: { kernel: 5, dilation: 2, stride: 2 } },
  { name: "wider output", output: 24 },
  { name: "narrower output", output: 6 },
  { name: "l = C_out: no second point-wise convolution", output: 4 },
  { name: "more than 32 squeezed channels: two convolutions", input: 144, output: 40, size: [2, 3] },
  { name: "l over half of C_out", input: 16, output: 6, settings: { alpha: 0.25 } },
  { name: "fuse all", settings: { fuse: "all" } },
  { name: "fuse all, order cs, soft gate", settings: { fuse: "all", order: "cs", gate: "soft" } },
  { name: "threshold 0.52", settings: { threshold: 0.52 } },
  { name: "threshold 0.48, soft", settings: { threshold: 0.48, gate: "soft" } },
  { name: "one norm group", settings: { groups: 1 } },
  { name: "a norm group for each channel", settings: { groups: 16 } },
  { name: "large eps", settings: { eps: 0.5 } },
];

describe("SCConv is what SPEC.md says", () => {
  it.each(cases)("$name", (c) => {
    const { got, want, weights } = bothWays(c);
    expect(weights.size).toBeGreaterThan(0);
    expectClose(got, want, TIGHT, c.name);
  });

  it("in any combination that fits", () => {
    const even = fc.integer({ min: 2, max: 8 }).map((k) => 4 * k);
    const some = fc.record({
      ...{ input: even, output: even, size: fc.tuple(sizes, sizes) },
      settings: fc.record({
        ...{
          gate: fc.constantFrom("straight-through", "hard", "soft"),
          fuse: fc.constantFrom("pair", "all"),
        },
        ...{ scope: fc.constantFrom("element", "channel"), order: fc.constantFrom("sc", "cs", "s", "c") },
        ...{ alpha: fc.constantFrom(0.25, 0.5, 0.75), threshold: fc.constantFrom(0.45, 0.5, 0.53) },
        ...{
          squeeze: fc.constantFrom(1, 2),
          convGroups: fc.constantFrom(1, 2),
          stride: fc.constantFrom(1, 2),
        },
        ...{ kernel: fc.constantFrom(1, 3), dilation: fc.constantFrom(1, 2) },
      }),
    });
    let fitted = 0;
    const property = fc.property(some, (c) => {
      fc.pre(fits(c));
      fitted++;
      const { got, want } = bothWays({ ...c, name: "any" });
      expectClose(got, want, TIGHT);
    });
    fc.assert(property, { numRuns: 25, seed: 3 });
    expect(fitted).toBe(25);
  });
});

const sizes = fc.integer({ min: 1, max: 5 });

function fits({ input, output, settings }: Required<Omit<Case, "name" | "size">>): boolean {
  try {
    checkScconv(input, output, { ...scconvDefaults, ...settings }, "any");
    return true;
  } catch {
    return false;
  }
}

describe("the sum of γ", () => {
  const gammas: Record<string, number[]> = {
    "is negative": [-1, -2, 0.5, -0.25, -3, 1, 0.75, -0.5],
    "is zero": [1, -1, 2, -2, 0.5, -0.5, 3, -3],
    "is 4e-7": [1, -1, 2, -2, 0.5, -0.5, 3, -3 + 4e-7],
    "is −4e-7": [1, -1, 2, -2, 0.5, -0.5, 3, -3 - 4e-7],
    "has channels with γ = 0": [0, 1, 0, 2, -0.5, 0, 1, 0],
  };
  for (const [name, gamma] of Object.entries(gammas)) {
    it.each(["element", "channel"] as const)(`${name}, scope %s`, (scope) => {
      const settings = { ...scconvDefaults, scope };
      const b = graphBuilder();
      const x = b.input("x", "float64", [2, 8, 3, 4]);
      b.output(sru(x, sruParameters(x, 8, settings), settings), "y");
      const image = values([2, 8, 3, 4], 9);
      const parameters = new Map([
        ["sru.gn.weight", Tensor.from("float64", [8], gamma)],
        ["sru.gn.bias", values([8], 10)],
      ]);
      const got = evaluateGraph(b.build(), new Map([["x", image], ...parameters])).get("y")!;
      const weights = new Map(
        [...parameters].map(([n, t]) => [n, { dims: t.dims, at: t.data as Float64Array }]),
      );
      expectClose(got, asTensor(sruReference(asFeatures(image), weights, settings)), TIGHT);
    });
  }
});
