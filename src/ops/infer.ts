import type { Graph, TensorType } from "../graph/ir.js";
import { graphBuilder } from "./index.js";

/** Types as they are declared, outputs included. */
export function declaredTypes(graph: Graph): Map<string, TensorType> {
  const types = new Map(graph.types);
  for (const o of graph.outputs) if (o.type) types.set(o.name, o.type);
  return types;
}

/**
 * The graph with the type of every value that can be told from its inputs. Sizes that are computed (Shape → Gather →
 * Concat → Reshape) are followed as far as they are known, by symbol where they have no number. What operators without
 * rules make keeps its declared type. A shape that cannot be is an error that names the node.
 */
export function inferShapes(graph: Graph): Graph {
  const b = graphBuilder({ from: { ...graph, types: declaredTypes(graph), outputs: [] } });
  const inferred = b.build();
  const types = new Map(inferred.types);
  const outputs = graph.outputs.map((o) => {
    const type = b.has(o.name) ? (types.get(o.name) ?? b.typeIfKnown(o.name)) : undefined;
    types.delete(o.name);
    return type ? { ...o, type } : o;
  });
  return { ...graph, types, outputs };
}
