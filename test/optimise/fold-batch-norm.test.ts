import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import type { GraphBuilder, Value } from "../../src/graph/builder.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { type ConvUnitName, convUnit } from "../../src/nn/units.js";
import { add, concat, conv, relu } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { foldBatchNorm } from "../../src/optimise/fold-batch-norm.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";
import { expectClose } from "../ops/close.js";
import { normal, run } from "./conv-run.js";

const IMAGE = [2, 3, 6, 6];
type Parts = (
  b: GraphBuilder,
  x: Value,
  made: (x: Value, channels: number, bias?: boolean) => Value,
) => Value;

const positive = (dims: readonly number[]): Tensor =>
  Tensor.from(
    "float32",
    dims,
    Float64Array.from(normal(dims).numbers(), (v) => 0.5 + v * v),
  );

/** BatchNormalization behind what `parts` makes of an image. */
function normed(parts: Parts, also?: (inside: Value) => Value): Graph {
  const b = graphBuilder({ name: "normed" });
  const x = b.input("x", "float32", IMAGE);
  const inside = parts(b, x, (v, channels, bias = false) => {
    const weight = b.constant(normal([channels, v.shape[1] as number, 3, 3]), "w");
    const offset = bias ? b.constant(normal([channels]), "bias") : undefined;
    return conv(v, weight, offset, { pads: [1, 1, 1, 1] });
  });
  const c = [inside.shape[1] as number];
  const vectors = [normal(c), normal(c), normal(c), positive(c)].map((t) => b.constant(t, "norm"));
  const y = relu(b.add("BatchNormalization", [inside, ...vectors]));
  b.output(also ? add(y, also(inside)) : y, "y");
  return b.build();
}

const larger = (b: GraphBuilder, v: Value, mode: string): Value =>
  b.add("Resize", [v, undefined, b.constant(Tensor.from("float32", [4], [1, 1, 2, 2]), "scales")], {
    ...{ mode, coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
  });

const norms = (graph: Graph): number => graph.nodes.filter((n) => n.op === "BatchNormalization").length;

async function expectFolded(graph: Graph, left: number): Promise<void> {
  const folded = foldBatchNorm(graph);
  verify(folded, operators);
  expect(norms(folded)).toBe(left);
  const feeds = new Map([["x", normal(IMAGE)]]);
  expectClose(await run(folded, feeds), await run(graph, feeds), 1e-5);
}

describe("batch norms are folded", () => {
  const whole: Record<string, Parts> = {
    "into a convolution": (_b, x, made) => made(x, 5, true),
    "through a concatenation": (_b, x, made) => concat([made(x, 2), made(x, 5, true), made(x, 1)], 1),
    "through a sum, whose first term takes the shift": (_b, x, made) => add(made(x, 4, true), made(x, 4)),
    "through a Resize to the nearest": (b, x, made) => larger(b, made(x, 4), "nearest"),
    "through all of them": (b, x, made) => {
      const sum = add(made(x, 4), made(x, 4, true));
      return concat(
        [larger(b, sum, "nearest"), larger(b, concat([made(x, 1), made(x, 2)], 1), "nearest")],
        1,
      );
    },
  };
  for (const [name, parts] of Object.entries(whole)) it(name, () => expectFolded(normed(parts), 0));

  const kept: Record<string, [Parts, ((inside: Value) => Value)?]> = {
    "where something else reads the sum": [(_b, x, made) => add(made(x, 4), made(x, 4)), (inside) => inside],
    "where a part is no convolution": [(_b, x, made) => concat([made(x, 3), x], 1)],
    "where a part is read elsewhere": [
      (_b, x, made) => {
        const first = made(x, 3);
        return concat([first, made(first, 3)], 1);
      },
    ],
    "where pixels are joined, not channels": [(_b, x, made) => concat([made(x, 3), made(x, 3)], 2)],
    "where sums are nested deeper than any unit's": [
      (_b, x, made) => Array.from({ length: 20 }, () => made(x, 2)).reduce((sum, term) => add(sum, term)),
    ],
    "where the Resize is not to the nearest": [(b, x, made) => larger(b, made(x, 4), "linear")],
    "where one term is a number for each channel": [
      (b, x, made) => add(made(x, 4), b.constant(normal([1, 4, 1, 1]), "offset")),
    ],
  };
  for (const [name, [parts, also]] of Object.entries(kept))
    it(`but not ${name}`, () => expectFolded(normed(parts, also), 1));
});

/** How many stay behind the six units of a small network. */
const rivals: Partial<Record<ConvUnitName, number>> = {
  // What OctConv and SlimConv end with commutes with a batch norm.
  ...{ octconv: 0, slimconv: 0, "depthwise-separable": 0 },
  // SPConv's second norm stands behind a product with weights of the moment; Ghost's cheap branch reads what it would be folded into;
  // TiedConv has one weight for channels that are scaled apart.
  ...{ spconv: 6, ghost: 6, tiedconv: 6 },
};

describe("the rivals' batch norms", () => {
  for (const [unit, left] of Object.entries(rivals)) {
    it(unit, async () => {
      const plain = lower(
        resnetCifar({
          ...{ depth: 8, widths: [8, 16, 32], size: 16, where: "all", seed: 5 },
          unit: convUnit(unit as ConvUnitName, {}),
        }),
      );
      const drawn = [...plain.initializers].map(([name, t]): [string, Tensor] => {
        if (t.dims.length !== 1 || !/\.(weight|bias|running_mean|running_var)$/.test(name)) return [name, t];
        return [name, name.endsWith("running_var") ? positive(t.dims) : normal(t.dims)];
      });
      const graph = { ...plain, initializers: new Map(drawn) };
      const folded = foldBatchNorm(graph);
      expect(norms(folded)).toBe(left);
      const feeds = new Map([["input", normal([2, 3, 16, 16])]]);
      expectClose(await run(folded, feeds, "logits"), await run(graph, feeds, "logits"), 1e-4);
    });
  }
});
