import type { GraphBuilder, Value } from "../graph/builder.js";
import { inline } from "../graph/inline.js";
import type { Graph, Node } from "../graph/ir.js";
import { prune } from "../graph/walk.js";
import { graphBuilder } from "./index.js";

export type Emit = (
  node: Node,
  inputs: readonly (Value | undefined)[],
  b: GraphBuilder,
) => readonly Value[] | undefined;

/**
 * The graph with some nodes built another way: `emit` returns the values that take the place of a node's outputs, or
 * undefined where the node stays as it is. Inputs, outputs, names and documentation survive; what nothing reads any more
 * is left out. Also returns how values of the old graph are called in the new one.
 */
export function rebuild(graph: Graph, emit: Emit): { graph: Graph; renamed: ReadonlyMap<string, string> } {
  const b = graphBuilder({ from: { ...graph, nodes: [], outputs: [] } });
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") b.reserve(name);
  const given = [...graph.inputs.map((i) => i.name), ...graph.initializers.keys()];
  const values = inline(b, graph, {
    substitute: new Map(given.map((name) => [name, b.value(name)])),
    emit: (node, inputs) => emit(node, inputs, b),
  });
  for (const { name } of graph.outputs) {
    const value = values.get(name)!;
    if (value.name !== name) b.add("Identity", [value], {}, { output: name });
  }
  return {
    graph: prune({ ...b.build(), outputs: graph.outputs }),
    renamed: new Map([...values].map(([name, v]) => [name, v.name])),
  };
}
