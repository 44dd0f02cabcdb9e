/*
 * Pad → Conv: zeros put around the image by a node of their own, as Keras (ZeroPadding2D) and timm's ports of TensorFlow's networks
 * write it, are the convolution's padding: (Pad(x), pads p) = (x, pads p + q). Exact.
 */
import { type Graph, intsAttr, type Node, stringAttr } from "../graph/ir.js";
import { consumers, producers, prune } from "../graph/walk.js";

/** The pads [begins …, ends …] over the spatial axes, where the node puts zeros around these alone. */
function spatialZeros(graph: Graph, node: Node, rank: number): number[] | undefined {
  if (node.op !== "Pad" || node.domain !== "" || stringAttr(node, "mode", "constant") !== "constant")
    return undefined;
  const known = (i: number) => {
    const tensor = graph.initializers.get(node.inputs[i] ?? "");
    return tensor && Array.from(tensor.numbers());
  };
  const left = (i: number) => (node.inputs[i] ?? "") === "";
  const pads = known(1);
  const axes = left(3) ? Array.from({ length: rank + 2 }, (_, i) => i) : known(3);
  const value = left(2) ? 0 : known(2)?.[0];
  if (!pads || !axes || value !== 0 || pads.length !== 2 * axes.length) return undefined;
  const result = new Array<number>(2 * rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    const at = (axis < 0 ? axis + rank + 2 : axis) - 2;
    const [begin, end] = [pads[i]!, pads[i + axes.length]!];
    if (begin < 0 || end < 0 || (at < 0 && begin + end > 0)) return undefined;
    if (at >= 0) [result[at], result[at + rank]] = [begin, end];
  }
  return result;
}

/** Convolutions take over the zeros that a Pad which nothing else reads puts in front of them. */
export function foldPads(graph: Graph): Graph {
  const maker = producers(graph);
  const readers = consumers(graph);
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const taken = new Map<Node, { readonly source: string; readonly pads: readonly number[] }>();
  for (const node of graph.nodes) {
    if (node.op !== "Conv" || node.domain !== "") continue;
    const made = maker.get(node.inputs[0]!);
    const weight = graph.initializers.get(node.inputs[1] ?? "");
    const auto = stringAttr(node, "auto_pad", "NOTSET");
    if (!made || !weight || !["NOTSET", "VALID"].includes(auto)) continue;
    const value = made.outputs[0]!;
    const rank = weight.dims.length - 2;
    const zeros = spatialZeros(graph, made, rank);
    if (!zeros || readers.get(value)?.length !== 1 || outputs.has(value)) continue;
    const own = auto === "VALID" ? undefined : intsAttr(node, "pads");
    taken.set(node, { source: made.inputs[0]!, pads: zeros.map((p, i) => p + (own?.[i] ?? 0)) });
  }
  if (taken.size === 0) return graph;
  const nodes = graph.nodes.map((node) => {
    const found = taken.get(node);
    if (!found) return node;
    const attributes = new Map(node.attributes).set("pads", { kind: "ints", value: found.pads });
    attributes.delete("auto_pad");
    return { ...node, inputs: [found.source, ...node.inputs.slice(1)], attributes };
  });
  return prune({ ...graph, nodes });
}
