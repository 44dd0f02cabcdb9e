import { ScconvError } from "../base/errors.js";
import { type Graph, nodeLabel } from "./ir.js";
import { InferContext, type OperatorTable, operatorKey } from "./operator.js";
import { readsOf } from "./walk.js";

const bad = (what: string, where?: string) => new ScconvError("invalid-graph", what, { where });

/**
 * Checks that a graph is well formed: every value made once and before it is read, every output made, declared types
 * equal to inferred ones. Throws a ScconvError that names the node. Runs after every pass in tests.
 */
export function verify(graph: Graph, operators: OperatorTable, outer: ReadonlySet<string> = new Set()): void {
  const made = new Set<string>();
  const make = (name: string, where: string) => {
    if (made.has(name)) throw bad(`value "${name}" is made twice`, where);
    made.add(name);
  };
  for (const i of graph.inputs) make(i.name, "graph input");
  // ONNX before IR 4 lists initializers among the inputs; both then name one value.
  for (const name of graph.initializers.keys()) made.add(name);
  const types = new Map(graph.types);
  for (const info of [...graph.inputs, ...graph.outputs]) if (info.type) types.set(info.name, info.type);
  for (const [n, t] of graph.initializers) types.set(n, { dtype: t.dtype, shape: t.dims });

  for (const node of graph.nodes) {
    for (const name of readsOf(node)) {
      if (node.inputs.includes(name) && !made.has(name) && !outer.has(name)) {
        throw bad(`reads "${name}", which nothing before it makes`, nodeLabel(node));
      }
    }
    for (const out of node.outputs) if (out !== "") make(out, nodeLabel(node));
    for (const a of node.attributes.values()) {
      if (a.kind === "graph") verify(a.value, operators, new Set([...outer, ...made]));
    }
    const operator = operators.get(operatorKey(node.op, node.domain));
    if (!operator || !node.inputs.every((n) => n === "" || types.has(n))) continue;
    const inferred = operator.infer(
      new InferContext(
        node,
        node.inputs.map((n) => types.get(n)),
        node.inputs.map((n) => graph.initializers.get(n)),
      ),
    );
    node.outputs.forEach((out, i) => {
      const declared = types.get(out);
      const found = inferred[i];
      if (!declared || !found) return;
      const clash =
        declared.dtype !== found.dtype ||
        (declared.shape &&
          found.shape &&
          (declared.shape.length !== found.shape.length ||
            declared.shape.some((d, k) => {
              const f = found.shape![k];
              return typeof d === "number" && typeof f === "number" && d !== f;
            })));
      if (clash) {
        const show = (t: typeof found) => `${t.dtype}[${t.shape?.join("×") ?? "?"}]`;
        throw new ScconvError("invalid-graph", `output "${out}" is declared with another type`, {
          where: nodeLabel(node),
          need: show(found),
          got: show(declared),
        });
      }
    });
  }
  for (const o of graph.outputs) {
    if (!made.has(o.name) && !outer.has(o.name)) throw bad(`graph output "${o.name}" is made by nothing`);
  }
}
