import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { batchNorm, conv } from "../../src/nn/layers.js";
import { graphBuilder } from "../../src/ops/index.js";
import { withCheckpoint } from "../../src/train/stored-weights.js";

/** One convolution of 2 weights and a batch norm: 4 parameters and 2 statistics. */
function network() {
  const b = graphBuilder();
  const x = b.input("x", "float32", ["N", 2, 4, 4]);
  b.output(batchNorm(conv(x, 1, "conv", new Random(1), { kernel: 1 }), "bn"), "y");
  return b.build();
}
const vector = (...values: number[]) => Tensor.from("float32", [values.length], values);
const values = (graph: ReturnType<typeof network>) =>
  Object.fromEntries([...graph.initializers].map(([n, t]) => [n, Array.from(t.numbers())]));

describe("the network of a checkpoint", () => {
  const state = new Map([
    ["parameters", vector(1, 2, 3, 4)],
    ["statistics", vector(5, 6)],
    ["momentum", vector(9, 9, 9, 9)],
  ]);

  it("has its parameters and running statistics by name", () => {
    expect(values(withCheckpoint(network(), { state }, "run"))).toEqual({
      "conv.weight": [1, 2],
      "bn.weight": [3],
      "bn.bias": [4],
      "bn.running_mean": [5],
      "bn.running_var": [6],
    });
  });

  it("has the averaged ones where an average was kept", () => {
    const averaged = new Map(state)
      .set("average", vector(10, 20, 30, 40))
      .set("average_statistics", vector(50, 60));
    expect(values(withCheckpoint(network(), { state: averaged }, "run"))).toMatchObject({
      "conv.weight": [10, 20],
      "bn.running_var": [60],
    });
  });

  it("is refused where it is another network's", () => {
    const other = new Map(state).set("parameters", vector(1, 2));
    expect(() => withCheckpoint(network(), { state: other }, "run")).toThrowError(
      "run: the parameters are not those of this network, need 4, got 2 numbers",
    );
  });
});
