import { ScconvError } from "../base/errors.js";
import { decodeModel, encodeModel } from "../graph/codec.js";
import { type Graph, intAttr, type Node } from "../graph/ir.js";
import { inferShapes } from "../ops/infer.js";

/**
 * Nodes that ONNX Runtime 1.30 gives to WebGPU, in the browser and on Node, though it cannot compute them there, so that the CPU has
 * to be named for them:
 *
 * - Conv in groups of four and more output channels each whose vectors of channels reach into the next group: wrong numbers,
 *   without a word. The shader takes vectors of four where all output channels can be cut into four, of two where into two, and
 *   forgets that a group must be, too. Images are widened by such a one for the weight gradient of others;
 * - Conv over three and more axes in groups: the run fails; the weight gradient of a grouped convolution is one;
 * - BatchNormalization in training: the run fails;
 * - Split into as many pieces as a shader has storage buffers, or more: the run fails; a training step cuts its parameters so.
 */
function isWrong(node: Node, { initializers, types, inputs }: Graph, buffers: number): boolean {
  if (node.domain !== "") return false;
  if (node.op === "BatchNormalization") return intAttr(node, "training_mode", 0) === 1;
  if (node.op === "Split") return node.outputs.length >= buffers;
  const group = intAttr(node, "group", 1);
  if (node.op !== "Conv" || group === 1) return false;
  const weight = node.inputs[1] ?? "";
  const declared = types.get(weight) ?? inputs.find((i) => i.name === weight)?.type;
  const dims = initializers.get(weight)?.dims ?? declared?.shape;
  const channels = dims?.[0];
  // Where nothing is known, it is kept from WebGPU, too: slower, and right.
  if (!dims || dims.length > 4 || typeof channels !== "number") return true;
  const [own, vector] = [channels / group, channels % 4 === 0 ? 4 : channels % 2 === 0 ? 2 : 1];
  return own >= 4 && own % vector !== 0;
}

export interface KeptFromWebgpu {
  /** The same one, where all those nodes have names of their own. */
  readonly graph: Graph;
  /** Names of nodes that the CPU has to compute. */
  readonly onCpu: readonly string[];
}

/** A graph for WebGPU: the same one, but that those nodes have names by which they can be kept from it. */
export function keptFromWebgpu(graph: Graph, buffers: number): KeptFromWebgpu {
  const typed = quietly(() => inferShapes(graph)) ?? graph;
  const wrong = new Set(graph.nodes.filter((node) => isWrong(node, typed, buffers)));
  if (wrong.size === 0) return { graph, onCpu: [] };
  const known = new Set<string>();
  const twice = graph.nodes.some((n) => n.name !== "" && known.size === known.add(n.name).size);
  const unnamed = [...wrong].some((n) => n.name === "");
  if (!twice && !unnamed) return { graph, onCpu: [...wrong].map((n) => n.name) };
  const onCpu: string[] = [];
  const nodes = graph.nodes.map((node, i) => {
    if (!wrong.has(node)) return node;
    // A line each is how the names are handed over.
    const name = `${node.name.replaceAll("\n", " ")}#${i}`;
    onCpu.push(name);
    return { ...node, name };
  });
  return { graph: { ...graph, nodes }, onCpu };
}

export interface ForWebgpu {
  readonly bytes: Uint8Array;
  readonly onCpu: readonly string[];
}

/** The same for a file. */
export function forWebgpu(bytes: Uint8Array, buffers: number): ForWebgpu {
  const model = quietly(() => decodeModel(bytes));
  if (!model) return { bytes, onCpu: [] };
  const { graph, onCpu } = keptFromWebgpu(model.graph, buffers);
  return { bytes: graph === model.graph ? bytes : encodeModel({ ...model, graph }), onCpu };
}

/** Undefined for what we cannot read: the engine says so in its own words. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ScconvError) return undefined;
    throw error;
  }
}
