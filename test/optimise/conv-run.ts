import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { nodeEngine } from "../../src/host/node/ort.js";

const engine = nodeEngine({ threads: 1 });
const random = new Random(3);

export const normal = (dims: readonly number[]): Tensor =>
  Tensor.from(
    "float32",
    dims,
    Float64Array.from({ length: sizeOf(dims) }, () => random.normal()),
  );

/** An output on the engine. */
export async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>, output = "y"): Promise<Tensor> {
  const session = await engine.open(graph);
  const y = (await session.run(feeds)).get(output)!;
  await session.release();
  return y;
}
