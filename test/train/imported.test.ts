import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { type Graph, opsetOf } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { add, conv, mul, reduceMean, sub } from "../../src/ops/emit.js";
import { graphBuilder, operators } from "../../src/ops/index.js";
import { trainableParts } from "../../src/train/parts.js";
import type { Trainer } from "../../src/train/trainer.js";
import { batchOf, CLASSES, program, SIZE, sharedEngine, trainerOf } from "./tiny.js";

const engine = sharedEngine();
const open: Trainer[] = [];
afterAll(() => Promise.all(open.map((t) => t.release())));

const random = (dims: readonly number[], key: number): Tensor => {
  const r = new Random(3, key);
  const values = Float32Array.from({ length: sizeOf(dims) }, () => r.uniform(-0.5, 0.5));
  return Tensor.from("float32", dims, values);
};

/** A network as exporters write ConvNeXt: normalised inside, products with a bias beside them, layer scales. */
function imported(opset: number): Graph {
  const b = graphBuilder({ name: "imported", opsets: new Map([["", opset]]) });
  const images = b.input("images", "float32", ["N", 1, SIZE, SIZE]);
  const normal = mul(
    sub(images, b.constant(random([1, 1, 1, 1], 0), "mean")),
    b.constant(random([1, SIZE, 1], 9), "std"),
  );
  const x = conv(normal, b.parameter("stem", random([6, 1, 3, 3], 1)), undefined, {}, "stem");
  const pooled = reduceMean(x, [2, 3], false);
  const product = b.add("MatMul", [pooled, b.parameter("w", random([6, 8], 2))]);
  const shifted = add(product, b.parameter("bias", random([8], 3)));
  const active = opset >= 20 ? b.add("Gelu", [shifted]) : b.add("Sigmoid", [shifted]);
  const scaled = mul(b.parameter("scale", random([8], 4)), mul(active, 0.5));
  b.output(b.add("MatMul", [scaled, b.parameter("head", random([8, CLASSES], 5))]), "logits");
  return b.build();
}

describe("what is trained of an imported network", () => {
  it("are its scales and shifts too, and not the normalisation of its input", () => {
    const names = [...trainableParts(imported(18)).parameters.keys()];
    expect(names).toEqual(["stem", "w", "bias", "scale", "head"]);
  });

  it.each([18, 20, 22])("can be in operator set %d: the step is in that set and runs", async (opset) => {
    const student = imported(opset);
    const step = program(student);
    expect(opsetOf(step.graph)).toBe(opset);
    verify(step.graph, operators);
    const trainer = await trainerOf(engine, student, step);
    open.push(trainer);
    const { images, labels } = batchOf();
    const losses: number[] = [];
    for (let i = 0; i < 20; i++) losses.push((await trainer.step(images, labels, 0.1)).figures.get("loss")!);
    expect(losses.at(-1)!).toBeLessThan(losses[0]!);
  });
});
