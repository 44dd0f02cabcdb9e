/*
 * Conv with weights that are computed → ONNX Runtime's own convolution in its blocked layout (N, C/B, H, W, B), which it keeps
 * for constant weights: it only ever reorders those once, ahead. Here they are reordered in the graph, (M, C, k…) →
 * (M/B, C/B, k…, B, B), and images on the way in and out. Same sums, in another order; for few channels on many pixels in 0.6 of the
 * time, all reorderings counted (docs/decisions.md). The domain is the engine's own and no standard: not for files that people keep.
 */
import { Tensor } from "../base/tensor.js";
import { type AttributeInput, attributesFrom, type Graph, intAttr, type Node } from "../graph/ir.js";

export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** `block` is the engine's B on this machine. */
export function blockedConvolutions(graph: Graph, block: number): Graph {
  const shapes = new Map(graph.initializers);
  const taken = new Set(graph.nodes.flatMap((n) => n.outputs));
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const weight = graph.types.get(node.inputs[1] ?? "")?.shape;
    const [m, c, ...kernel] = (weight ?? []) as number[];
    const fits =
      node.op === "Conv" &&
      node.domain === "" &&
      graph.types.get(node.inputs[1]!)?.dtype === "float32" &&
      weight!.every((d) => typeof d === "number") &&
      intAttr(node, "group", 1) === 1 &&
      kernel.length === 2 &&
      kernel.some((k) => k > 1) &&
      m! % block === 0 &&
      c! % block === 0;
    if (!fits) {
      nodes.push(node);
      continue;
    }
    const fresh = (name: string): string => {
      let free = `${node.name || node.outputs[0]}.${name}`;
      while (taken.has(free) || shapes.has(free)) free += "_";
      taken.add(free);
      return free;
    };
    const vector = (name: string, values: readonly number[]) => {
      const free = fresh(name);
      shapes.set(free, Tensor.from("int64", [values.length], values));
      return free;
    };
    const emit = (
      op: string,
      inputs: readonly string[],
      attributes: Readonly<Record<string, AttributeInput>> = {},
      { domain = "", output = fresh(op) }: { domain?: string; output?: string } = {},
    ): string => {
      const name = output;
      nodes.push({ name, op, domain, inputs, outputs: [output], attributes: attributesFrom(attributes) });
      return output;
    };
    const blocks = vector("blocks", [m! / block, block, c! / block, block, ...kernel]);
    const apart = emit("Reshape", [node.inputs[1]!, blocks]);
    const turned = emit("Transpose", [apart], { perm: [0, 2, 4, 5, 3, 1] });
    const weights = emit("Reshape", [turned, vector("dims", [m!, c!, ...kernel])]);
    const own = { domain: BLOCKED_DOMAIN };
    const x = emit("ReorderInput", [node.inputs[0]!], {}, own);
    const attributes = { ...Object.fromEntries(node.attributes), kernel_shape: kernel };
    const y = emit("Conv", [x, weights, ...node.inputs.slice(2)], attributes, own);
    emit("ReorderOutput", [y], { channels: m! }, { ...own, output: node.outputs[0]! });
  }
  if (nodes.length === graph.nodes.length) return graph;
  const opsets = new Map(graph.opsets).set(BLOCKED_DOMAIN, 1);
  return { ...graph, nodes, opsets, initializers: shapes };
}

/** A graph whose output tells the block: see `blockOf`. */
export function blockProbe(): Graph {
  const type = { dtype: "float32" as const, shape: [1, 16, 1, 2] };
  const node = { name: "reorder", op: "ReorderInput", domain: BLOCKED_DOMAIN, attributes: new Map() };
  return {
    name: "block-probe",
    nodes: [{ ...node, inputs: ["x"], outputs: ["y"] }],
    inputs: [{ name: "x", type }],
    outputs: [{ name: "y", type }],
    initializers: new Map(),
    types: new Map(),
    opsets: new Map([
      ["", 18],
      [BLOCKED_DOMAIN, 1],
    ]),
  };
}

/** B, of what the probe makes of 0 … 31: the pixel beside the first one lies behind B channels. Undefined where it is none. */
export function blockOf(reordered: ArrayLike<number>): number | undefined {
  const block = Array.prototype.indexOf.call(reordered, 1);
  return block > 1 ? block : undefined;
}
