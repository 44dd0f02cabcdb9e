import { sizeOf } from "../../base/tensor.js";
import type { Graph, Node } from "../../graph/ir.js";
import { producers } from "../../graph/walk.js";
import { bindSizes } from "../../ops/bind.js";
import { costOf } from "../../ops/cost.js";

export interface Count {
  readonly parameters: number;
  /** Of convolutions and linear layers, for one image. */
  readonly products: number;
  /** Elements that batch norms work on. */
  readonly normed: number;
}

/**
 * Counts a network as papers do: a kernel that is put together from fewer numbers (GWC and PWC1 as one) by those, and
 * whatever form a unit has in the graph. N must be the only size that is open.
 */
export function countNetwork(graph: Graph): Count {
  const bound = bindSizes(graph, new Map([["N", 1]]));
  const maker = producers(bound);
  const { nodes, parameters } = costOf(bound);
  let [products, normed] = [0, 0];
  for (const { node, macs, outputShape } of nodes) {
    if (node.op === "Gemm") products += Number(macs);
    if (node.op === "BatchNormalization") normed += sizeOf(outputShape as number[]);
    if (node.op !== "Conv") continue;
    const [n, , ...pixels] = outputShape as [number, number, ...number[]];
    products += n * sizeOf(pixels) * numbersOf(node.inputs[1]!, bound, maker);
  }
  return { parameters, products, normed };
}

/** How many weights a kernel is made of. */
function numbersOf(name: string, graph: Graph, maker: ReadonlyMap<string, Node>): number {
  const tensor = graph.initializers.get(name);
  if (tensor) return tensor.dtype === "float32" ? tensor.size : 0;
  return (maker.get(name)?.inputs ?? []).reduce((sum, input) => sum + numbersOf(input, graph, maker), 0);
}
