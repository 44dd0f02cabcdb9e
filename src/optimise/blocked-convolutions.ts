/*
 * Conv with weights that are computed → ONNX Runtime's own convolution in its blocked layout (N, C/B, H, W, B), which it keeps
 * for constant weights: it only ever reorders those once, ahead. Here they are reordered in the graph, (M, C, k…) →
 * (M/B, C/B, k…, B, B), and images on the way in and out. Same sums, in another order; for few channels on many pixels in 0.6 of the
 * time, all reorderings counted (docs/decisions.md). The domain is the engine's own and no standard: not for files that people keep.
 */
import { isStatic } from "../base/dims.js";
import { Tensor } from "../base/tensor.js";
import { type AttributeInput, attributesFrom, type Graph, intAttr, type Node } from "../graph/ir.js";
import { type Names, namesOf } from "../graph/names.js";

export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** `block` is the engine's B on this machine. */
export function blockedConvolutions(graph: Graph, block: number): Graph {
  const initializers = new Map(graph.initializers);
  const names = namesOf(graph);
  const nodes = graph.nodes.flatMap((node) => {
    const weights = blockedWeights(graph, node, block);
    return weights ? blocked(node, weights, { block, names, initializers }) : [node];
  });
  if (nodes.length === graph.nodes.length) return graph;
  return { ...graph, nodes, initializers, opsets: new Map(graph.opsets).set(BLOCKED_DOMAIN, 1) };
}

/**
 * (M, C, kh, kw) of a convolution that fits: one group, whole blocks of channels, more than one tap. Fewer output channels than a
 * block are filled up with zeros: the gradient of a narrow convolution's input is such a one.
 */
function blockedWeights(graph: Graph, node: Node, block: number): readonly number[] | undefined {
  if (node.op !== "Conv" || node.domain !== "" || intAttr(node, "group", 1) !== 1) return undefined;
  // Constants are not among the types: those are of values that nodes make.
  const type = graph.types.get(node.inputs[1]!);
  if (type?.dtype !== "float32" || type.shape?.length !== 4 || !isStatic(type.shape)) return undefined;
  const [m, c, ...kernel] = type.shape as [number, number, number, number];
  const whole = m % block === 0 || (m < block && node.inputs.length === 2);
  return whole && c % block === 0 && kernel.some((k) => k > 1) ? type.shape : undefined;
}

/** The nodes that take the convolution's place. */
function blocked(
  node: Node,
  dims: readonly number[],
  { block, names, initializers }: { block: number; names: Names; initializers: Map<string, Tensor> },
): Node[] {
  const [m, c, ...kernel] = dims as [number, number, number, number];
  const fresh = (what: string) => names.fresh(`${node.name || node.outputs[0]}.${what}`);
  const vector = (what: string, values: readonly number[]): string => {
    const name = fresh(what);
    initializers.set(name, Tensor.from("int64", [values.length], values));
    return name;
  };
  const nodes: Node[] = [];
  const emit = (
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    { domain = "", output = fresh(op) }: { domain?: string; output?: string } = {},
  ): string => {
    const made = { op, domain, inputs, outputs: [output], attributes: attributesFrom(attributes) };
    nodes.push({ name: output, ...made });
    return output;
  };
  const rows = Math.ceil(m / block) * block;
  const whole =
    rows === m
      ? node.inputs[1]!
      : emit("Pad", [node.inputs[1]!, vector("pads", [0, 0, 0, 0, rows - m, 0, 0, 0])]);
  const apart = emit("Reshape", [
    whole,
    vector("blocks", [rows / block, block, c / block, block, ...kernel]),
  ]);
  const turned = emit("Transpose", [apart], { perm: [0, 2, 4, 5, 3, 1] });
  const weights = emit("Reshape", [turned, vector("dims", [rows, c, ...kernel])]);
  const own = { domain: BLOCKED_DOMAIN };
  const x = emit("ReorderInput", [node.inputs[0]!], {}, own);
  const attributes = { ...Object.fromEntries(node.attributes), kernel_shape: kernel };
  const y = emit("Conv", [x, weights, ...node.inputs.slice(2)], attributes, own);
  emit("ReorderOutput", [y], { channels: m }, { ...own, output: node.outputs[0]! });
  return nodes;
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
