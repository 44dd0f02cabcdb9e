import { ScconvError } from "../base/errors.js";
import { type Graph, type Node, nodeLabel, opsetOf, type TensorType } from "../graph/ir.js";
import { type DowngradeContext, operatorKey } from "../graph/operator.js";
import { prune } from "../graph/walk.js";
import { graphBuilder, operators } from "./index.js";
import { declaredTypes, inferShapes } from "./infer.js";
import { rebuild } from "./rebuild.js";

/** Operator sets that a graph can be written in; the engine that we use (ONNX Runtime 1.30) reads no newer one. */
export const OLDEST_EXPORT = 11;
export const NEWEST_EXPORT = 26;

/**
 * A graph of set 18 or newer written in another operator set: each operator's file says how. What the set does not have is
 * said in older operators where there is a way; all nodes for which there is none are named in one `unsupported`. Operators
 * without rules here, branches and loops among them, are such nodes.
 */
export function withOpset(graph: Graph, to: number): Graph {
  if (!Number.isInteger(to) || to < OLDEST_EXPORT || to > NEWEST_EXPORT) {
    throw new ScconvError("unsupported", "graphs are not written in this operator set", {
      got: `${to}`,
      need: `${OLDEST_EXPORT} to ${NEWEST_EXPORT}`,
    });
  }
  if (to === opsetOf(graph)) return graph;
  const problems: string[] = [];
  const composed = inferShapes(inOlderOperators(graph, to));
  const converted = inForms(composed, to, problems);
  if (problems.length > 0) {
    const shown = problems.slice(0, 4).join("; ") + (problems.length > 4 ? " …" : "");
    throw new ScconvError("unsupported", `operator set ${to} cannot say all of the graph: ${shown}`);
  }
  return prune({ ...converted, opsets: new Map([...graph.opsets, ["", to]]) });
}

const ruleOf = (node: Node) => operators.get(operatorKey(node.op, node.domain));

/** Nodes for which the set has no operator, said by those that it has; what these are made of may need it again. */
function inOlderOperators(graph: Graph, to: number): Graph {
  let replaced = false;
  const next = rebuild(graph, (node, inputs, b) => {
    const older = ruleOf(node)?.older;
    if (!older) return undefined;
    const x = (i = 0) => inputs[i]!;
    const ctx = { b, node, inputs, outputs: [], upstream: [], x, y: x, dy: x };
    const made = b.scope(node.name, () => older({ ...ctx, shared: (_, make) => make() }, to));
    replaced ||= made !== undefined;
    return made;
  }).graph;
  return replaced ? inOlderOperators(next, to) : graph;
}

type TypeOf = (name: string) => TensorType | undefined;

/** Nodes in the form of the set. Constants that a form needs are added; none that it no longer needs is left. */
function inForms(graph: Graph, to: number, problems: string[]): Graph {
  // Only for names and constants: these nodes are not of the set that the builder's rules are written for.
  const b = graphBuilder({ from: { ...graph, nodes: [], outputs: [] } });
  for (const node of graph.nodes) for (const name of node.outputs) if (name !== "") b.reserve(name);
  const types = declaredTypes(graph);
  const typeOf: TypeOf = (name) => types.get(name) ?? b.typeIfKnown(name);
  const from = opsetOf(graph);
  const nodes = graph.nodes.flatMap((node) => {
    const rule = ruleOf(node);
    const cannot = (need: string) =>
      new ScconvError("unsupported", `needs ${need}`, { where: nodeLabel(node) });
    try {
      if (node.domain !== "" && node.domain !== "ai.onnx") return [node];
      if (!rule) throw cannot(`set ${from}: there are no rules for it in others`);
      if (!rule.downgrade) {
        if (to < rule.since) throw cannot(`set ${rule.since}`);
        return [node];
      }
      const made = b.scope(node.name, () => rule.downgrade!(node, to, contextFor(b, typeOf, cannot)));
      return made as Node | readonly Node[];
    } catch (error) {
      if (!(error instanceof ScconvError)) throw error;
      problems.push(error.message);
      return [node];
    }
  });
  return { ...graph, nodes, initializers: new Map(b.initializers) };
}

const contextFor = (
  b: ReturnType<typeof graphBuilder>,
  type: TypeOf,
  cannot: DowngradeContext["cannot"],
): DowngradeContext => ({
  ints: (values) => b.ints(values).name,
  scalarLike: (value, like) => b.scalar(value, type(like)?.dtype ?? "float32").name,
  type,
  constant: (tensor) => b.constant(tensor).name,
  fresh: (hint) => b.fresh(hint),
  known: (name) => b.constantOf(name),
  cannot,
});
