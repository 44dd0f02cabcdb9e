import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { conv, linear } from "../../src/nn/layers.js";
import { graphBuilder } from "../../src/ops/index.js";

/** About a kilobyte that holds what files hold: attributes of several kinds, arithmetic on sizes, a constant, metadata. */
export function smallModel(): Uint8Array {
  const b = graphBuilder({ name: "small" });
  const random = new Random(3);
  const x = b.input("x", "float32", ["N", 1, 6, 6]);
  const c = b.add("Relu", [conv(x, 2, "conv", random, { kernel: 3, stride: 1 })]);
  const p = b.add("MaxPool", [c], { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" });
  const k = b.add("Constant", [], { value: Tensor.from("int64", [1], [-1]) });
  const batch = b.add("Gather", [b.add("Shape", [p]), b.ints([0])], { axis: 0 });
  const flat = b.add("Reshape", [p, b.add("Concat", [batch, k], { axis: 0 })]);
  b.output(linear(flat, 3, "fc", random), "y");
  return encodeModel({ ...modelOf(b.build()), metadata: new Map([["note", "kept"]]) });
}
