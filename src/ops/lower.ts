import type { Graph } from "../graph/ir.js";
import { operatorKey } from "../graph/operator.js";
import { operators } from "./index.js";
import { rebuild } from "./rebuild.js";

/** Replaces operators of our own domain by the standard ones that the engine runs. */
export function lower(graph: Graph): Graph {
  const ruleOf = (op: string, domain: string) => operators.get(operatorKey(op, domain))?.lower;
  if (!graph.nodes.some((n) => ruleOf(n.op, n.domain))) return graph;
  return rebuild(graph, (node, inputs, b) => {
    const rule = ruleOf(node.op, node.domain);
    if (!rule) return undefined;
    const x = (i = 0) => inputs[i]!;
    return b.scope(node.name, () =>
      rule({ b, node, inputs, outputs: [], upstream: [], x, y: x, dy: x, shared: (_, make) => make() }),
    );
  }).graph;
}
