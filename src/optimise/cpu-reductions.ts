/*
 * Reductions in the form that the engine's CPU kernels do fastest (two threads, 8 MB, docs/decisions.md):
 *
 *   ReduceSumSquare          Mul, ReduceSum          0.62 → 0.19 ms, for it reads number by number
 *   sum over images, pixels  pixels first, then all  0.15 → 0.07 ms, for that is one run of memory after the other
 *
 * Exact but for the order of sums.
 */
import type { Graph, Node } from "../graph/ir.js";
import { mul } from "../ops/emit.js";
import { rebuild } from "../ops/rebuild.js";

export function cpuReductions(graph: Graph): Graph {
  const kind = (node: Node) => {
    if (node.domain !== "") return undefined;
    if (node.op === "ReduceSumSquare") return "squares";
    return node.op === "ReduceSum" && isOverImages(graph, node) ? "images" : undefined;
  };
  if (!graph.nodes.some(kind)) return graph;
  return rebuild(graph, (node, [x, axes], b) => {
    const how = kind(node);
    if (!how) return undefined;
    return b.scope(node.name || node.outputs[0]!, () => {
      const pixels = () => b.add("ReduceSum", [x!, b.ints([2, 3])], { keepdims: 1 });
      const first = how === "squares" ? mul(x!, x!) : pixels();
      return [b.add("ReduceSum", [first, axes], Object.fromEntries(node.attributes))];
    });
  }).graph;
}

/** Over N, H and W of (N, C, H, W), where these are more than one image and one pixel. */
function isOverImages({ initializers, types }: Graph, { inputs, attributes }: Node): boolean {
  const shape = types.get(inputs[0]!)?.shape;
  const axes = initializers.get(inputs[1] ?? "")?.numbers();
  if (shape?.length !== 4 || !axes || attributes.has("noop_with_empty_axes")) return false;
  const [n, , h, w] = shape;
  return [0, 2, 3].every((d, i) => axes[i] === d) && axes.length === 3 && n !== 1 && (h !== 1 || w !== 1);
}
