import { expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { counterparts, featureLayers } from "../../src/features/layers.js";
import { conv } from "../../src/nn/layers.js";
import { graphBuilder } from "../../src/ops/index.js";
import { deploy } from "../../src/optimise/index.js";
import { swap } from "../../src/surgery/swap.js";

it("a unit is found in the place of its convolution where neither name nor value is left, trained or folded", () => {
  const b = graphBuilder({ name: "two" });
  const random = new Random(7);
  const x = b.input("input", "float32", ["N", 3, 8, 8]);
  const first = b.add("Relu", [conv(x, 16, "conv1", random, { kernel: 3, stride: 1 })]);
  const second = conv(first, 16, "conv2", random, { kernel: 3, stride: 1 });
  b.output(b.add("Min", [second, b.constant(Tensor.from("float32", [], [6]))]), "y");
  const graph = b.build();
  const swapped = swap(graph, { layers: "all", settings: {} });
  const layers = featureLayers(graph, { where: "a" });
  for (const other of [swapped.graph, deploy(swapped.graph, swapped.units)]) {
    const found = counterparts({ graph, layers }, other, { where: "b" });
    expect([...found].map(([name, l]) => [name, l.name, l.op])).toEqual([
      ["conv1.conv", "conv1.conv", "Conv"],
      ["conv2.conv", "conv2", "SCConv"],
    ]);
  }
});
