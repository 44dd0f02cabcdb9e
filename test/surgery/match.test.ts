import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { conv } from "../../src/nn/layers.js";
import { type ScconvSettings, scconvDefaults } from "../../src/nn/scconv.js";
import { graphBuilder } from "../../src/ops/index.js";
import { matchConvolutions } from "../../src/surgery/match.js";
import { withConv } from "./networks.js";

const last = (graph: Graph, settings: Partial<ScconvSettings> = {}) =>
  matchConvolutions(graph, { ...scconvDefaults, ...settings }).at(-1)!;

/** 16 → 16 over (N, 16, 8, 8), with its weights made in the graph, or used twice. */
function special(kind: "computed" | "shared"): Graph {
  const b = graphBuilder();
  const stem = conv(b.input("input", "float32", ["N", 3, 8, 8]), 16, "stem", new Random(1));
  const w = b.initializer("w", Tensor.zeros("float32", [16, 16, 3, 3]));
  const pads = { pads: [1, 1, 1, 1] };
  const first = b.add("Conv", [stem, kind === "computed" ? b.add("Neg", [w]) : w], pads);
  b.output(kind === "computed" ? first : b.add("Conv", [first, w], pads), "y");
  return b.build();
}

function threeDimensional(): Graph {
  const b = graphBuilder();
  const w = b.initializer("w", Tensor.zeros("float32", [4, 4, 3, 3, 3]));
  b.output(b.add("Conv", [b.input("input", "float32", ["N", 4, 8, 8, 8]), w]), "y");
  return b.build();
}

const same = [1, 1, 1, 1];
const stays: readonly [string, Graph, RegExp, Partial<ScconvSettings>?][] = [
  ["the first convolution", onlyStem(), /^it is the network's first convolution$/],
  ["1×1", withConv({ weight: [16, 16, 1, 1], attributes: { pads: [0, 0, 0, 0] } }), /point-wise \(1×1\)/],
  ["an even kernel", withConv({ weight: [16, 16, 2, 2] }), /kernel is 2×2, not odd and square/],
  ["1×7", withConv({ weight: [16, 16, 1, 7], attributes: { pads: [0, 3, 0, 3] } }), /kernel is 1×7, not odd/],
  ["depthwise", withConv({ weight: [16, 1, 3, 3], attributes: { group: 16 } }), /^it is depthwise$/],
  ["grouped", withConv({ weight: [16, 4, 3, 3], attributes: { group: 4 } }), /^it has 4 groups$/],
  ["16-bit weights", withConv({ dtype: "float16" }), /^its weights are float16$/],
  ["shared weights", special("shared"), /shared with another node/],
  ["computed weights", special("computed"), /computed in the graph/],
  ["3-D", threeDimensional(), /3-dimensional/],
  ["strides 2×1", withConv({ attributes: { strides: [2, 1] } }), /strides differ \(2×1\)/],
  ["dilations 1×2", withConv({ attributes: { dilations: [1, 2], pads: [1, 2, 1, 2] } }), /dilations differ/],
  ["no padding", withConv({ attributes: { pads: [0, 0, 0, 0] } }), /output size is not ⌈input\/stride⌉/],
  ["more padding", withConv({ attributes: { pads: [2, 2, 2, 2] } }), /output size is not/],
  [
    "no padding, size unknown",
    withConv({ attributes: { pads: [0, 0, 0, 0] }, size: "H" }),
    /output size is not/,
  ],
  [
    "lopsided padding, size unknown",
    withConv({ attributes: { pads: [1, 1, 2, 2] }, size: "H" }),
    /size is not/,
  ],
  ["C odd", withConv({ input: 15 }), /does not fit: 15, need an even number/],
  ["⌊αC⌋ mod r", withConv({ input: 10 }), /does not fit: 5, need a positive multiple of squeeze 2 \(of 10/],
  ["α too small", withConv(), /does not fit: 0, need a positive multiple/, { alpha: 0.01 }],
  ["l > C_out", withConv({ output: 2 }), /does not fit: 4, need at most the 2 output channels/],
  [
    "parallel",
    withConv({ output: 8 }),
    /does not fit: 16 → 8 channels, need equal widths/,
    { order: "parallel" },
  ],
];

function onlyStem(): Graph {
  const b = graphBuilder();
  b.output(conv(b.input("input", "float32", ["N", 16, 8, 8]), 16, "stem", new Random(1)), "y");
  return b.build();
}

describe("a convolution stays", () => {
  it.each(stays)("%s", (_, graph, reason, settings) => {
    const candidate = last(graph, settings);
    expect(candidate).toMatchObject({ swappable: false, adapted: [] });
    expect(candidate.reason).toMatch(reason);
    expect(candidate.settings).toBeUndefined();
  });
});

describe("a convolution can be swapped", () => {
  const fits: readonly [string, Graph, Partial<ScconvSettings>][] = [
    ["3×3", withConv(), { kernel: 3, stride: 1, dilation: 1 }],
    ["stride 2", withConv({ attributes: { strides: [2, 2] } }), { stride: 2 }],
    ["stride 2, odd size", withConv({ attributes: { strides: [2, 2] }, size: 9 }), { stride: 2 }],
    [
      "stride 2, padding at the end",
      withConv({ attributes: { strides: [2, 2], pads: [0, 0, 1, 1] } }),
      { stride: 2 },
    ],
    ["SAME_UPPER", withConv({ attributes: { pads: undefined, auto_pad: "SAME_UPPER" } }), { stride: 1 }],
    ["5×5", withConv({ weight: [16, 16, 5, 5], attributes: { pads: [2, 2, 2, 2] } }), { kernel: 5 }],
    ["dilation 2", withConv({ attributes: { dilations: [2, 2], pads: [2, 2, 2, 2] } }), { dilation: 2 }],
    ["sizes unknown", withConv({ size: "H" }), { kernel: 3 }],
    ["sizes unknown, stride 2", withConv({ size: "H", attributes: { strides: [2, 2] } }), { stride: 2 }],
    [
      "sizes unknown, stride 2, SAME_UPPER",
      withConv({ size: "H", attributes: { strides: [2, 2], pads: undefined, auto_pad: "SAME_UPPER" } }),
      { stride: 2 },
    ],
    ["other widths", withConv({ input: 32, output: 48 }), { convGroups: 2 }],
  ];
  it.each(fits)("%s", (_, graph, settings) => {
    const candidate = last(graph);
    expect(candidate.reason).toBeUndefined();
    expect(candidate).toMatchObject({ swappable: true, name: "it", adapted: [], settings });
  });

  it("with its channels", () => {
    expect(last(withConv({ input: 32, output: 48, attributes: { pads: same } })).channels).toEqual([32, 48]);
  });
});

describe("groups that do not divide", () => {
  const adapts: readonly [string, Graph, Partial<ScconvSettings>, string[], Partial<ScconvSettings>][] = [
    ["a width", withConv(), { groups: 5 }, ["groups 5 → 4"], { groups: 4 }],
    [
      "a width but for one",
      withConv({ input: 28 }),
      { groups: 3, convGroups: 1 },
      ["groups 3 → 2"],
      { groups: 2 },
    ],
    [
      "the squeezed part",
      withConv({ input: 24 }),
      { convGroups: 4 },
      ["conv-groups 4 → 2"],
      { convGroups: 2 },
    ],
    ["the output", withConv({ output: 15 }), {}, ["conv-groups 2 → 1"], { convGroups: 1 }],
    [
      "either",
      withConv({ output: 15 }),
      { groups: 7 },
      ["groups 7 → 4", "conv-groups 2 → 1"],
      { groups: 4, convGroups: 1 },
    ],
    ["the output's gate", withConv({ output: 18 }), { order: "cs" }, ["groups 4 → 3"], { groups: 3 }],
    ["nothing, without a gate", withConv({ output: 18 }), { order: "c", groups: 7 }, [], { groups: 7 }],
    ["nothing, without a CRU", withConv(), { order: "s", convGroups: 7 }, [], { convGroups: 7 }],
  ];
  it.each(adapts)("%s become the next that do, and it is said", (_, graph, settings, adapted, becomes) => {
    const candidate = last(graph, settings);
    expect(candidate.reason).toBeUndefined();
    expect(candidate.adapted).toEqual(adapted);
    expect(candidate.settings).toMatchObject({ ...settings, ...becomes });
  });
});
