import { addDim, type Dim, factorsOf, isStatic, mulDim, type Shape, symbolsIn } from "../base/dims.js";
import { dtypes, isFloat } from "../base/dtype.js";
import { sizeOf } from "../base/tensor.js";
import type { Graph, Node, TensorType } from "../graph/ir.js";
import { operatorKey } from "../graph/operator.js";
import { graphBuilder, operators } from "./index.js";
import { declaredTypes } from "./infer.js";
import { whyUnsupported } from "./unsupported.js";

export interface NodeCost {
  readonly node: Node;
  /** Multiply-accumulates (FLOPs are twice as many); undefined where nobody knows how to count this operator. */
  readonly macs: Dim | undefined;
  /** Elements of the weights that this node is the first to read. */
  readonly parameters: number;
  /** Bytes read and written, where all sizes are known. */
  readonly bytes: number | undefined;
  readonly inputShape: Shape | undefined;
  readonly outputShape: Shape | undefined;
}

export interface OpenSize {
  /** As `macs` spells it. */
  readonly size: string;
  /** Multiply-accumulates for each one of it; undefined where it stands in a product with another open size. */
  readonly each: number | undefined;
  /** The node whose output first has it. */
  readonly from: Node;
}

export interface GraphCost {
  readonly nodes: readonly NodeCost[];
  /** Over the nodes that are counted. */
  readonly macs: Dim;
  readonly parameters: number;
  /** Sizes in `macs` that values decide (how many boxes are left, say), which is known only when the graph runs. */
  readonly open: readonly OpenSize[];
  /** Operators without a count: their cost is unknown, not 0. */
  readonly uncounted: readonly { readonly op: string; readonly count: number; readonly why: string }[];
}

/**
 * What a graph costs, node by node. Parameters are the elements of floating point initializers, each counted once,
 * without scalars and without what operators call settings (running statistics, bounds), which nobody learns; quantised weights
 * count too.
 */
export function costOf(graph: Graph): GraphCost {
  const b = graphBuilder({ from: { ...graph, types: declaredTypes(graph), outputs: [] } });
  const counted = new Set<string>();
  const uncounted = new Map<string, number>();
  const nodes = graph.nodes.map((node): NodeCost => {
    const key = operatorKey(node.op, node.domain);
    const operator = operators.get(key);
    const outputs = node.outputs.map((n) => b.typeIfKnown(n));
    const ctx = b.contextOf(node);
    const typed = operator && ctx.inputs.every((t, i) => t || node.inputs[i] === "");
    const macs = typed ? operator.cost(ctx, outputs).macs : undefined;
    if (macs === undefined) uncounted.set(key, (uncounted.get(key) ?? 0) + 1);
    let parameters = 0;
    node.inputs.forEach((name, i) => {
      const tensor = graph.initializers.get(name);
      if (!tensor || operator?.settings?.includes(i) || counted.has(name)) return;
      if (!(isFloat(tensor.dtype) || operator?.weights?.includes(i)) || tensor.dims.length === 0) return;
      counted.add(name);
      parameters += tensor.size;
    });
    return {
      node,
      macs,
      parameters,
      bytes: bytesOf(
        [...ctx.inputs, ...outputs].filter((_, i) => [...node.inputs, ...node.outputs][i] !== ""),
      ),
      inputShape: ctx.inputs[0]?.shape,
      outputShape: outputs[0]?.shape,
    };
  });
  const macs = termsOf(nodes.flatMap((n) => n.macs ?? []));
  return {
    nodes,
    macs: sumOf(macs),
    parameters: nodes.reduce((sum, n) => sum + n.parameters, 0),
    open: openSizes(macs, graph, (name) => b.typeIfKnown(name)),
    uncounted: [...uncounted].map(([op, count]) => ({ op, count, why: whyUncounted(op) })),
  };
}

const whyUncounted = (key: string): string =>
  whyUnsupported(key) ?? "what it costs depends on its values, or the type of an input is not known";

function bytesOf(types: readonly (TensorType | undefined)[]): number | undefined {
  let total = 0;
  for (const t of types) {
    if (!t?.shape || !isStatic(t.shape)) return undefined;
    total += sizeOf(t.shape) * dtypes[t.dtype].bytes;
  }
  return total;
}

/** Multiples of the same symbol as one: 3·N + 5·N is 8·N. Numbers are multiples of "". */
function termsOf(dims: readonly Dim[]): ReadonlyMap<string, number> {
  const bySymbol = new Map<string, number>();
  for (const d of dims) {
    const [, factor, symbol] =
      typeof d === "number" ? ["", `${d}`, ""] : (/^(\d+)·(.+)$/.exec(d) ?? ["", "1", d]);
    bySymbol.set(symbol!, (bySymbol.get(symbol!) ?? 0) + Number(factor));
  }
  return bySymbol;
}

const sumOf = (terms: ReadonlyMap<string, number>): Dim =>
  [...terms]
    .filter(([symbol]) => symbol !== "")
    .map(([symbol, n]) => mulDim(symbol, n))
    .reduce<Dim>(addDim, terms.get("") ?? 0);

/** What is multiplied in a size: symbols, and expressions that a file gave a name of their own (`Min(1000, u2)`). */
const sizesIn = (d: Dim): readonly string[] =>
  factorsOf(`${d}`)?.flatMap((f) => (/^[\d(]/.test(f) ? symbolsIn(f) : [f])) ?? symbolsIn(d);

/** Symbols of inputs are filled in from outside; all others come up where values say how much there is. */
function openSizes(
  terms: ReadonlyMap<string, number>,
  graph: Graph,
  typeOf: (name: string) => TensorType | undefined,
): OpenSize[] {
  const outside = new Set(graph.inputs.flatMap(({ type }) => type?.shape ?? []).flatMap(symbolsIn));
  const decided = (size: string) => symbolsIn(size).some((symbol) => !outside.has(symbol));
  const sizes = new Set([...terms.keys()].flatMap(sizesIn).filter(decided));
  if (sizes.size === 0) return [];
  const found: OpenSize[] = [];
  for (const node of graph.nodes) {
    for (const size of node.outputs.flatMap((name) => typeOf(name)?.shape ?? []).flatMap(sizesIn))
      if (sizes.delete(size)) found.push({ size, each: terms.get(size), from: node });
  }
  return found;
}
