/*
 * Conv without a bias → the same with a bias of zeros, where its result is only added to a value of the same shape: ONNX Runtime runs such a
 * sum inside of the convolution, a pass over memory less, but only of one that has a bias. Exact.
 */
import { isStatic, type Shape } from "../base/dims.js";
import { Tensor } from "../base/tensor.js";
import type { Graph, Node } from "../graph/ir.js";
import { namesOf } from "../graph/names.js";
import { consumers, producers } from "../graph/walk.js";
import { sameShape } from "../ops/emit.js";

export function sumsInConvolutions(graph: Graph): Graph {
  const maker = producers(graph);
  const readers = consumers(graph);
  const given = new Set(graph.outputs.map((o) => o.name));
  const biased = new Set<Node>();
  for (const sum of graph.nodes) {
    if (sum.op !== "Add" || !isImage(graph, sum)) continue;
    const convolutions = sum.inputs.flatMap((name) => {
      const node = maker.get(name);
      const alone = readers.get(name)?.length === 1 && !given.has(name);
      return node?.op === "Conv" && node.domain === "" && alone ? [node] : [];
    });
    // One of them is enough.
    if (convolutions.length > 0 && convolutions.every((node) => node.inputs.length === 2)) {
      biased.add(convolutions.at(-1)!);
    }
  }
  if (biased.size === 0) return graph;
  const initializers = new Map(graph.initializers);
  const names = namesOf(graph);
  const zeros = new Map<number, string>();
  const zerosFor = (channels: number): string => {
    let name = zeros.get(channels);
    if (name === undefined) {
      name = names.fresh(`zeros_${channels}`);
      initializers.set(name, Tensor.zeros("float32", [channels]));
      zeros.set(channels, name);
    }
    return name;
  };
  const channelsOf = (node: Node) => shapeOf(graph, node.outputs[0]!)![1] as number;
  const nodes = graph.nodes.map((node) =>
    biased.has(node) ? { ...node, inputs: [...node.inputs, zerosFor(channelsOf(node))] } : node,
  );
  return { ...graph, nodes, initializers };
}

/** A sum of two batches of images of one shape, in float32. */
function isImage(graph: Graph, { inputs, outputs }: Node): boolean {
  const [y, ...addends] = [...outputs, ...inputs].map((name) => shapeOf(graph, name));
  return y?.length === 4 && isStatic(y) && addends.every((a) => a && sameShape(a, y));
}

function shapeOf({ types }: Graph, name: string): Shape | undefined {
  const type = types.get(name);
  return type?.dtype === "float32" ? type.shape : undefined;
}
