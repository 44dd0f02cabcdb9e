/*
 * Pad → Conv: zeros put around the image by a node of their own, as Keras (ZeroPadding2D) and timm's ports of TensorFlow's networks
 * write it, are the convolution's padding: (Pad(x), pads p) = (x, pads p + q). Exact.
 */
import { type Graph, intsAttr, type Node, stringAttr } from "../graph/ir.js";
import { consumers, producers, prune } from "../graph/walk.js";
import { zeroPads } from "../graph/zero-pads.js";

/** The pads [begins …, ends …] over the spatial axes, where the node puts zeros around these alone. */
function spatialZeros(graph: Graph, node: Node, rank: number): number[] | undefined {
  const pads = zeroPads(graph, node, rank + 2);
  const [begins, ends] = [pads?.slice(0, rank + 2), pads?.slice(rank + 2)];
  if (!begins || !ends || [begins[0], begins[1], ends[0], ends[1]].some((p) => p !== 0)) return undefined;
  return [...begins.slice(2), ...ends.slice(2)];
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
