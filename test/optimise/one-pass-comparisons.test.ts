import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { cast, greater, mul } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import { onePassComparisons } from "../../src/optimise/one-pass-comparisons.js";

const engine = nodeEngine({ threads: 1 });

/** [x > t]·y, and the truth values themselves where asked. */
function masked(threshold: number, size: number, dtype: "float32" | "float64" = "float32") {
  const b = graphBuilder({ name: "masked" });
  const x = b.input("x", dtype, [size]);
  b.output(mul(cast(greater(x, threshold), dtype), b.input("y", dtype, [size])), "z");
  return b.build();
}

const operators = (graph: { nodes: readonly { op: string }[] }) =>
  graph.nodes.map((n) => n.op).filter((op) => op !== "Identity");
const bits = new Float32Array(1);
/** The next float32 above. */
function above(x: number): number {
  bits[0] = x;
  const word = new Int32Array(bits.buffer);
  if (bits[0] === 0) return 2 ** -99;
  word[0]! += bits[0]! > 0 ? 1 : -1;
  return bits[0]!;
}

describe("comparisons in one pass", () => {
  it("is 0 or 1, and the same, on the threshold and next to it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.constant(0),
          fc.float({ noNaN: true, min: -1e6, max: 1e6 }).filter((t) => Math.abs(t) > 1e-20),
        ),
        fc.array(
          fc.float({ noNaN: true }).filter((x) => x === 0 || Math.abs(x) > 1e-20),
          { maxLength: 20 },
        ),
        async (threshold, others) => {
          const t = Math.fround(threshold);
          const values = Float32Array.from([t, above(t), -above(-t), t + 1, t - 1, 1e30, -1e30, ...others]);
          const graph = masked(t, values.length);
          const rewritten = onePassComparisons(graph);
          expect(operators(rewritten)).toEqual(["HardSigmoid", "Mul"]);
          const session = await engine.open(rewritten);
          const feeds = new Map([
            ["x", Tensor.of("float32", [values.length], values)],
            ["y", Tensor.of("float32", [values.length], new Float32Array(values.length).fill(3))],
          ]);
          const z = (await session.run(feeds)).get("z")!;
          await session.release();
          expect([...(z.data as Float32Array)]).toEqual([...values].map((x) => (x > t ? 3 : 0)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("leaves alone what it would change: other types, large thresholds, what is no constant", () => {
    expect(operators(onePassComparisons(masked(0, 4, "float64")))).toEqual(["Greater", "Cast", "Mul"]);
    expect(operators(onePassComparisons(masked(2 ** 28, 4)))).toEqual(["Greater", "Cast", "Mul"]);
    const b = graphBuilder({ name: "two" });
    const [x, y] = [b.input("x", "float32", [4]), b.input("y", "float32", [4])];
    b.output(cast(greater(x, y), "float32"), "z");
    expect(operators(onePassComparisons(b.build()))).toEqual(["Greater", "Cast"]);
  });

  it("keeps the truth values for others that read them", () => {
    const b = graphBuilder({ name: "kept" });
    const truth = greater(b.input("x", "float32", [4]), 0.5);
    b.output(cast(truth, "float32"), "mask");
    b.output(truth, "truth");
    expect(operators(onePassComparisons(b.build())).sort()).toContain("Greater");
  });
});
