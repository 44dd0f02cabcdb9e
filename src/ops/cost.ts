import { addDim, type Dim, isStatic, mulDim, type Shape } from "../base/dims.js";
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

export interface GraphCost {
  readonly nodes: readonly NodeCost[];
  /** Over the nodes that are counted. */
  readonly macs: Dim;
  readonly parameters: number;
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
  return {
    nodes,
    macs: sumDims(nodes.flatMap((n) => n.macs ?? [])),
    parameters: nodes.reduce((sum, n) => sum + n.parameters, 0),
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

/** Adds up multiples of the same symbol: 3·N + 5·N is 8·N. */
function sumDims(dims: readonly Dim[]): Dim {
  const bySymbol = new Map<string, number>();
  for (const d of dims) {
    const [, factor, symbol] =
      typeof d === "number" ? ["", `${d}`, ""] : (/^(\d+)·(.+)$/.exec(d) ?? ["", "1", d]);
    bySymbol.set(symbol!, (bySymbol.get(symbol!) ?? 0) + Number(factor));
  }
  const constant = bySymbol.get("") ?? 0;
  bySymbol.delete("");
  return [...bySymbol].map(([symbol, n]) => mulDim(symbol, n)).reduce<Dim>(addDim, constant);
}
