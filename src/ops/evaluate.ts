import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { type Graph, type Node, nodeLabel } from "../graph/ir.js";
import { type EvaluateContext, operatorKey } from "../graph/operator.js";
import { operators } from "./index.js";

/** One node on actual tensors, by reference arithmetic. `run` is for the sub-graphs of control flow. */
export function evaluateNode(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  run?: EvaluateContext["run"],
): readonly Tensor[] {
  const operator = operators.get(operatorKey(node.op, node.domain));
  if (!operator)
    throw new ScconvError("unsupported", "no rules for this operator", { where: nodeLabel(node) });
  return operator.evaluate({
    node,
    inputs,
    outputs: node.outputs.length,
    run,
    tensor: (i) => {
      const t = inputs[i];
      if (!t) throw new ScconvError("invalid-graph", `input ${i} is missing`, { where: nodeLabel(node) });
      return t;
    },
  });
}

/**
 * Runs a graph by reference arithmetic, in the precision of the tensors that are fed: slow and simple, for tests and for
 * constants. Initializers may be overridden by `feeds`; `outer` has the values around a sub-graph. Returns every value of
 * the graph by name.
 */
export function evaluateGraph(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  outer: (name: string) => Tensor | undefined = () => undefined,
): Map<string, Tensor> {
  const values = new Map<string, Tensor>([...graph.initializers, ...feeds]);
  const seen = (name: string) => values.get(name) ?? outer(name);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((n) => {
      const t = n === "" ? undefined : seen(n);
      if (!t && n !== "")
        throw new ScconvError("bad-input", `no value for "${n}"`, { where: nodeLabel(node) });
      return t;
    });
    evaluateNode(node, inputs, (inner, given) => evaluateGraph(inner, given, seen)).forEach((t, i) => {
      const name = node.outputs[i];
      if (name) values.set(name, t);
    });
  }
  // A sub-graph may hand out what it only sees.
  for (const { name } of graph.outputs) {
    const t = seen(name);
    if (t) values.set(name, t);
  }
  return values;
}
