import { CANONICAL_OPSET } from "./builder.js";
import type { Graph } from "./ir.js";

/** The operator sets of a graph that others are put into: of each domain the newest, and no older one than new graphs have. */
export function jointOpsets(graphs: Iterable<Graph | undefined>): Map<string, number> {
  const joint = new Map([["", CANONICAL_OPSET]]);
  for (const graph of graphs) {
    for (const [domain, version] of graph?.opsets ?? []) {
      joint.set(domain, Math.max(version, joint.get(domain) ?? 0));
    }
  }
  return joint;
}
