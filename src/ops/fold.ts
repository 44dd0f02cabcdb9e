import { isStatic } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { GraphBuilder } from "../graph/builder.js";
import { inferContents, inferTypes } from "../graph/infer-types.js";
import type { Graph, Node } from "../graph/ir.js";
import { operatorKey } from "../graph/operator.js";
import { prune } from "../graph/walk.js";
import { evaluateNode } from "./evaluate.js";
import { graphBuilder, operators } from "./index.js";
import { declaredTypes } from "./infer.js";

export interface FoldOptions {
  /** The largest constant that is made, and the most by which the constants may grow together. */
  readonly maxElements?: number;
}

/**
 * Computes what depends on constants only (and what is known of shapes) and makes it an initializer: the tangles of
 * Shape, Gather, Concat and ConstantOfShape that exporters write for sizes, and weights behind Identity, Transpose or
 * DequantizeLinear. All types are inferred on the way. Outputs of the graph keep their nodes. An initializer that is listed among the inputs too, as files
 * before IR 4 do, counts as constant.
 */
export function foldConstants(graph: Graph, { maxElements = 2 ** 24 }: FoldOptions = {}): Graph {
  const kept = new Set(graph.outputs.map((o) => o.name));
  const types = declaredTypes(graph);
  const b = graphBuilder({ from: { ...graph, nodes: [], types: new Map() } });
  let budget = maxElements;
  for (const node of graph.nodes) {
    const tensors = node.outputs.some((o) => kept.has(o))
      ? undefined
      : valuesOf(b, node, maxElements, budget);
    if (!tensors) {
      b.append(node, types);
      continue;
    }
    const read = node.inputs.reduce((sum, n) => sum + (b.constantOf(n)?.size ?? 0), 0);
    budget -= Math.max(0, tensors.reduce((sum, t) => sum + t.size, 0) - read);
    node.outputs.forEach((name, i) => {
      if (name !== "") b.initializer(name, tensors[i]!);
    });
  }
  const outputs = graph.outputs.map((o) => {
    const type = b.has(o.name) ? b.typeIfKnown(o.name) : undefined;
    return type ? { ...o, type } : o;
  });
  return prune({ ...b.build(), outputs });
}

/** The outputs of a node, where they are known before anything runs and small enough. */
function valuesOf(b: GraphBuilder, node: Node, most: number, budget: number): readonly Tensor[] | undefined {
  const operator = operators.get(operatorKey(node.op, node.domain));
  if (!operator || !node.inputs.every((n) => n === "" || b.has(n))) return undefined;
  if (node.inputs.some((n) => n !== "" && !b.typeIfKnown(n))) return undefined;
  const ctx = b.contextOf(node);
  const types = inferTypes(operator, ctx);
  const inputs = node.inputs.map((n) => (n === "" ? undefined : b.constantOf(n)));
  if (node.inputs.some((n, i) => n !== "" && !inputs[i])) {
    const contents = node.outputs.length === 1 ? inferContents(operator, ctx) : undefined;
    const type = types[0];
    const known = contents && isStatic(contents) && type?.shape && isStatic(type.shape);
    return known ? [Tensor.from(type.dtype, type.shape as number[], contents)] : undefined;
  }
  const sizes = node.outputs.map((_, i) => {
    const shape = types[i]?.shape;
    return shape && isStatic(shape) ? sizeOf(shape) : Number.POSITIVE_INFINITY;
  });
  const made = sizes.reduce((a, s) => a + s, 0);
  const read = inputs.reduce((sum, t) => sum + (t?.size ?? 0), 0);
  const { macs } = operator.cost(ctx, types);
  const moves = node.op === "Identity" || node.op === "Constant";
  if (!moves && (made > most || made - read > budget || typeof macs !== "number" || macs > most))
    return undefined;
  try {
    const tensors = evaluateNode(node, inputs);
    return tensors.length < node.outputs.length ? undefined : tensors;
  } catch (error) {
    if (error instanceof ScconvError && error.code !== "unsupported") throw error;
    // What cannot be computed here, and what makes no sense to reference arithmetic, is left to the engine.
    return undefined;
  }
}
