import type { Graph } from "../graph/ir.js";
import { operatorKey } from "../graph/operator.js";
import { graphBuilder, operators } from "./index.js";

/** Replaces operators of our own domain by the standard ones that the engine runs. */
export function lower(graph: Graph): Graph {
  const custom = (op: string, domain: string) => operators.get(operatorKey(op, domain))?.lower;
  if (!graph.nodes.some((n) => custom(n.op, n.domain))) return graph;
  const b = graphBuilder({ from: { ...graph, nodes: [], outputs: [] } });
  for (const node of graph.nodes) {
    const rule = custom(node.op, node.domain);
    if (!rule) {
      b.append(node, graph.types);
      continue;
    }
    const inputs = node.inputs.map((n) => b.value(n));
    const [result] = b.scope(node.name, () =>
      rule({
        b,
        node,
        inputs,
        outputs: [],
        upstream: [],
        x: (i) => inputs[i]!,
        y: () => inputs[0]!,
        dy: () => inputs[0]!,
        shared: (_, make) => make(),
      }),
    );
    b.append({ ...node, op: "Identity", domain: "", attributes: new Map(), inputs: [result!.name] });
  }
  return { ...b.build(), outputs: graph.outputs };
}
