import { ScconvError } from "../base/errors.js";
import { CANONICAL_OPSET, type GraphBuilder } from "../graph/builder.js";
import { type Attribute, type Graph, type Node, opsetOf, type TensorType } from "../graph/ir.js";
import { operatorKey, type UpgradeContext } from "../graph/operator.js";
import { formerNames, graphBuilder, operators } from "./index.js";
import { declaredTypes } from "./infer.js";

/** The oldest operator set that is understood. */
export const OLDEST_OPSET = 6;

/**
 * Brings a graph of ai.onnx operator set 6 … 17 to set 18, the one that rules are written for; each operator's file says
 * how. Names of nodes and values survive. Graphs from 18 on are returned as they are.
 */
export function upgrade(graph: Graph): Graph {
  const from = opsetOf(graph);
  if (from >= CANONICAL_OPSET) return graph;
  if (from < OLDEST_OPSET) {
    throw new ScconvError("unsupported", `operator set ${from} is too old`, {
      need: `ai.onnx ${OLDEST_OPSET} or newer`,
      hint: "export the model again, or convert it with onnx.version_converter",
    });
  }
  return {
    ...upgradeGraph(graph, from, () => undefined),
    opsets: new Map([...graph.opsets, ["", CANONICAL_OPSET]]),
  };
}

type TypeOf = (name: string) => TensorType | undefined;

function upgradeGraph(graph: Graph, from: number, outer: TypeOf): Graph {
  const b = graphBuilder({ from: { ...graph, nodes: [], types: new Map() } });
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") b.reserve(name);
  const types = declaredTypes(graph);
  const typeOf: TypeOf = (name) => b.typeIfKnown(name) ?? types.get(name) ?? outer(name);
  for (const node of graph.nodes) {
    const inner = withSubgraphs(node, from, typeOf);
    for (const made of b.scope(node.name, () => upgradeNode(inner, from, contextFor(b, typeOf)))) {
      b.append(made, types);
    }
  }
  return b.build();
}

function withSubgraphs(node: Node, from: number, typeOf: TypeOf): Node {
  if (![...node.attributes.values()].some((a) => a.kind === "graph")) return node;
  const attributes = new Map<string, Attribute>();
  for (const [name, a] of node.attributes) {
    attributes.set(name, a.kind === "graph" ? { ...a, value: upgradeGraph(a.value, from, typeOf) } : a);
  }
  return { ...node, attributes };
}

function upgradeNode(node: Node, from: number, make: UpgradeContext): readonly Node[] {
  const key = operatorKey(node.op, node.domain);
  const former = formerNames.get(key);
  if (former) return [former(node, make)];
  const result = operators.get(key)?.upgrade?.(node, from, make) ?? node;
  return Array.isArray(result) ? result : [result as Node];
}

const contextFor = (b: GraphBuilder, typeOf: TypeOf): UpgradeContext => ({
  ints: (values) => b.ints(values).name,
  scalarLike: (value, like) => b.scalar(value, typeOf(like)?.dtype ?? "float32").name,
  type: typeOf,
  constant: (tensor) => b.constant(tensor).name,
  fresh: (hint) => b.fresh(hint),
});
