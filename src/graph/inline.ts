import { ScconvError } from "../base/errors.js";
import type { GraphBuilder, Value } from "./builder.js";
import { type Attribute, type Graph, type Node, nodeLabel } from "./ir.js";

export interface InlineOptions {
  /** Values that stand for the graph's inputs and, where wanted, for some of its initializers or other values. */
  readonly substitute: ReadonlyMap<string, Value>;
  /** Put before every name, so that two graphs can live in one. */
  readonly prefix?: string;
  /** Builds a node's outputs in another way; undefined where the node is to be copied. */
  readonly emit?:
    | ((node: Node, inputs: readonly (Value | undefined)[]) => readonly Value[] | undefined)
    | undefined;
  /** Sees the outputs of every node; what it returns is what later nodes read. */
  readonly after?: ((node: Node, outputs: readonly Value[]) => readonly Value[]) | undefined;
}

/** Copies `graph` into `b`. Returns the values of `b` by their names in `graph`. */
export function inline(
  b: GraphBuilder,
  graph: Graph,
  { substitute, prefix = "", emit, after }: InlineOptions,
): Map<string, Value> {
  const values = new Map<string, Value>(substitute);
  const value = (name: string): Value => {
    let v = values.get(name);
    if (!v) {
      const tensor = graph.initializers.get(name);
      if (!tensor) throw new Error(`inline: no value for "${name}"`);
      v = b.initializer(prefix + name, tensor);
      values.set(name, v);
    }
    return v;
  };
  const known = new Map([...graph.types].map(([name, type]) => [prefix + name, type]));
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((n) => (n === "" ? undefined : value(n)));
    let made = emit?.(node, inputs);
    if (!made) {
      const outputs = node.outputs.map((n) => (n === "" ? "" : prefix + n));
      const attributes = withOuterNames(node.attributes, (n) =>
        values.has(n) || graph.initializers.has(n) ? value(n).name : n,
      );
      b.append(
        { ...node, name: prefix + node.name, inputs: inputs.map((v) => v?.name ?? ""), outputs, attributes },
        known,
      );
      made = outputs.map((n) => b.value(n));
    }
    const seen = after?.(node, made) ?? made;
    node.outputs.forEach((n, i) => {
      if (n === "") return;
      const made = seen[i];
      if (!made)
        throw new ScconvError("invalid-graph", "names more outputs than it has", { where: nodeLabel(node) });
      values.set(n, made);
    });
  }
  return values;
}

/** Sub-graphs read values around them by name: those names are brought up to date. */
function withOuterNames(
  attributes: ReadonlyMap<string, Attribute>,
  rename: (name: string) => string,
): ReadonlyMap<string, Attribute> {
  if (![...attributes.values()].some((a) => a.kind === "graph")) return attributes;
  const inside = (graph: Graph): Graph => {
    const own = new Set([
      ...graph.inputs.map((i) => i.name),
      ...graph.initializers.keys(),
      ...graph.nodes.flatMap((n) => n.outputs),
    ]);
    const read = (name: string) => (name === "" || own.has(name) ? name : rename(name));
    return {
      ...graph,
      nodes: graph.nodes.map((n) => ({
        ...n,
        inputs: n.inputs.map(read),
        attributes: withOuterNames(n.attributes, read),
      })),
      outputs: graph.outputs.map((o) => ({ ...o, name: read(o.name) })),
    };
  };
  return new Map(
    [...attributes].map(([name, a]) => [name, a.kind === "graph" ? { ...a, value: inside(a.value) } : a]),
  );
}
