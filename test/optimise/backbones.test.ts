import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { withOpset } from "../../src/ops/with-opset.js";
import { deploy } from "../../src/optimise/index.js";
import { architecture } from "../../src/zoo/index.js";
import { expectClose } from "../ops/close.js";

const engine = nodeEngine({ threads: 1 });
const random = new Random(5, 1);
const images = Tensor.from(
  "float32",
  [1, 3, 32, 32],
  Array.from({ length: 3 * 32 * 32 }, () => random.normal()),
);

async function logits(graph: Graph): Promise<Tensor> {
  const session = await engine.open(graph);
  const results = await session.run(new Map([["input", images]]));
  await session.release();
  return results.get("logits")!;
}

/** Batch norms as training leaves them: none the identity. */
function withTrainedNorms(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  for (const [name, t] of initializers) {
    if (t.dims.length !== 1 || t.dtype !== "float32") continue;
    const low = /running_var|weight/.test(name) ? 0.5 : -0.2;
    const values = Float64Array.from({ length: t.size }, () => random.uniform(low, low + 0.7));
    initializers.set(name, Tensor.from("float32", t.dims, values));
  }
  return { ...graph, initializers };
}

describe("the inference form of a backbone, one of each family", () => {
  it.each([
    ["resnet18-cifar", 0.25],
    ["resnet50-cifar", 0.25],
    ["resnext29-8x64d", 0.125],
    ["wrn-16-8", 0.125],
    ["densenet121-cifar", 0.25],
    ["vgg16-bn-cifar", 0.125],
    // Two convolutions with nothing but a batch norm between them.
    ["mobilenet-v2-cifar", 0.25],
  ])("%s computes what the trained one does, in an old operator set, too", async (name, width) => {
    const graph = withTrainedNorms(architecture(name)({ width, classes: 7 }));
    const inference = deploy(graph);
    verify(inference, operators);
    const norms = (g: Graph) => g.nodes.filter((n) => n.op === "BatchNormalization").length;
    expect(norms(inference)).toBeLessThan(norms(graph));
    const want = await logits(lower(graph));
    expectClose(await logits(inference), want, 1e-4, "inference form");
    expectClose(await logits(withOpset(inference, 11)), want, 1e-4, "operator set 11");
  });
});
