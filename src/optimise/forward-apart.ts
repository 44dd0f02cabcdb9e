/*
 * The forward pass of a training step → the same nodes inside of one If, whose outputs are what the rest of the step reads of it.
 *
 * The engine plans memory for a graph as a whole: a value that nobody reads any more is held wherever a later value has its shape, for
 * that one to take its place. So what the forward pass needs but for a moment waits for the backward pass, with all that is kept in
 * between. A sub-graph has a plan of its own. (ResNet-50, batch 16, held by the engine at once: docs/decisions.md.)
 *
 * The same nodes on the same values, so every bit is the same. The condition is true, which the engine does not know before it runs:
 * it would take an If apart that it knows. The other branch never runs; it has the types that an If needs.
 */
import { isStatic } from "../base/dims.js";
import { type DType, dtypes } from "../base/dtype.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Graph, Node, TensorType } from "../graph/ir.js";
import { producers, readsOf } from "../graph/walk.js";
import { equal, zeroAfter } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";

/** What these give is their input in another shape: no work, and no memory. */
const VIEWS = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze"]);

const isView = ({ op, domain }: Node): boolean => domain === "" && VIEWS.has(op);

/**
 * `from` is the graph's input, and `to` the output, that the forward pass is between. A graph whose sizes are not all known, or whose
 * forward pass has sub-graphs of its own, is returned as it is.
 */
export function forwardApart(
  graph: Graph,
  { from, to }: { readonly from: string; readonly to: string },
): Graph {
  const maker = producers(graph);
  const inside = between(graph, maker, from, to);
  const rest = graph.nodes.filter((node) => !inside.has(node));
  const { given, views } = readOutside(graph, inside, rest, maker);
  const types = new Map([
    ...graph.types,
    ...graph.outputs.flatMap((o) => (o.type ? [[o.name, o.type] as const] : [])),
  ]);
  const known = [...given].flatMap((name) => {
    const type = types.get(name);
    return type?.shape && isStatic(type.shape) ? [{ name, type: type as KnownType }] : [];
  });
  const nested = [...inside].some((node) => [...node.attributes.values()].some((a) => a.kind === "graph"));
  if (nested || known.length < given.size || given.size === 0) return graph;

  const b = graphBuilder({ from: { ...graph, nodes: [], outputs: [] } });
  for (const { name, outputs } of graph.nodes) for (const n of [name, ...outputs]) if (n !== "") b.reserve(n);
  const zero = zeroAfter(b.value(from));
  const condition = equal(zero, b.ints([0]));
  // Names are one space: what goes by the same name outside is called otherwise inside.
  const renamed = new Map([...given, ...views].map((name) => [name, b.fresh(`${name}.inside`)]));
  const called = (name: string) => renamed.get(name) ?? name;
  const branch = { inputs: [], initializers: new Map(), opsets: graph.opsets };
  const forward: Graph = {
    ...{ ...branch, name: "forward" },
    nodes: [...inside].map((n) => ({ ...n, inputs: n.inputs.map(called), outputs: n.outputs.map(called) })),
    outputs: known.map(({ name, type }) => ({ name: called(name), type })),
    types: new Map(
      [...inside].flatMap((n) =>
        n.outputs.flatMap((o) => (types.has(o) ? [[called(o), types.get(o)!]] : [])),
      ),
    ),
  };
  const never: Graph = { ...branch, name: "never", types: new Map(), ...placeholders(b, zero, known) };
  const choice: Node = {
    ...{ op: "If", domain: "", name: b.fresh("forward"), inputs: [condition.name] },
    outputs: known.map(({ name }) => name),
    attributes: new Map([
      ["then_branch", { kind: "graph", value: forward }],
      ["else_branch", { kind: "graph", value: never }],
    ]),
  };

  const made = new Set([...inside].flatMap((n) => n.outputs));
  const behind = dependants(rest, new Set([...given, ...views]));
  const { nodes, ...rebuilt } = b.build();
  return {
    ...rebuilt,
    nodes: [
      ...nodes,
      ...rest.filter((n) => !behind.has(n)),
      choice,
      ...[...inside].filter((n) => views.has(n.outputs[0]!)),
      ...rest.filter((n) => behind.has(n)),
    ],
    outputs: graph.outputs,
    types: new Map(
      [...graph.types, ...rebuilt.types].filter(([n]) => !made.has(n) || given.has(n) || views.has(n)),
    ),
  };
}

interface KnownType extends TensorType {
  readonly shape: readonly number[];
}

/** The nodes that depend on `from` and that `to` depends on, in the order of the graph. */
function between(graph: Graph, maker: ReadonlyMap<string, Node>, from: string, to: string): Set<Node> {
  const needed = new Set<Node>();
  const open = [maker.get(to)];
  for (let node = open.pop(); node; node = open.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    open.push(...readsOf(node).flatMap((name) => maker.get(name) ?? []));
  }
  const behind = dependants(graph.nodes, new Set([from]));
  return new Set(graph.nodes.filter((node) => needed.has(node) && behind.has(node)));
}

/** The nodes that read one of these values, or what such a node gives. `nodes` are in topological order. */
function dependants(nodes: readonly Node[], values: ReadonlySet<string>): Set<Node> {
  const reached = new Set(values);
  return new Set(
    nodes.filter((node) => {
      const reads = readsOf(node).some((name) => reached.has(name));
      if (reads) for (const out of node.outputs) reached.add(out);
      return reads;
    }),
  );
}

/**
 * The values of the nodes inside that are read outside: those that are `given`, and those that are views of a given one, or of
 * what was there before. Given, a view would be a copy, so it is made a second time.
 */
function readOutside(
  { outputs }: Graph,
  inside: ReadonlySet<Node>,
  rest: readonly Node[],
  maker: ReadonlyMap<string, Node>,
): { given: Set<string>; views: Set<string> } {
  const [given, views] = [new Set<string>(), new Set<string>()];
  const open = [...rest.flatMap(readsOf), ...outputs.map((o) => o.name)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const node = maker.get(name);
    if (!node || !inside.has(node) || given.has(name) || views.has(name)) continue;
    const view = isView(node);
    (view ? views : given).add(name);
    if (view) open.push(...readsOf(node));
  }
  return { given, views };
}

/** Nodes and outputs of a branch, of these types; `zero` keeps the engine from making constants of them. */
function placeholders(
  b: GraphBuilder,
  zero: Value,
  values: readonly { readonly type: KnownType }[],
): Pick<Graph, "nodes" | "outputs"> {
  const nodes: Node[] = [];
  const made = (
    op: string,
    inputs: readonly string[],
    attributes: Node["attributes"] = new Map(),
  ): string => {
    const name = b.fresh("never");
    nodes.push({ op, domain: "", name, inputs, outputs: [name], attributes });
    return name;
  };
  const zeros = new Map<DType, string>();
  const outputs = values.map(({ type }) => {
    const { dtype, shape } = type;
    const to = { kind: "int", value: dtypes[dtype].code } as const;
    if (!zeros.has(dtype)) zeros.set(dtype, made("Cast", [zero.name], new Map([["to", to]])));
    // One element is a scalar by a Reshape, for Expand does not take an axis away.
    const op = shape.length > 0 ? "Expand" : "Reshape";
    return { name: made(op, [zeros.get(dtype)!, b.ints(shape).name]), type };
  });
  return { nodes, outputs };
}
