import { ScconvError } from "../../base/errors.js";
import { decodeModel, encodeModel } from "../../graph/codec.js";
import { type Graph, intAttr, type Node } from "../../graph/ir.js";
import { inferShapes } from "../../ops/infer.js";

/**
 * Nodes that onnxruntime-web 1.30 gives to WebGPU though it cannot compute them there, so that the CPU has to be named for them:
 *
 * - Conv with one input channel to a group and more than one output channel: wrong numbers, without a word; images are widened by
 *   such a one for the weight gradient of others;
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
  // Where nothing is known, it is kept from WebGPU, too: slower, and right.
  return !dims || dims.length > 4 || (dims[1] === 1 && dims[0] !== group);
}

export interface ForWebgpu {
  readonly bytes: Uint8Array;
  /** Names of nodes that the CPU has to compute. */
  readonly onCpu: readonly string[];
}

/** A model for WebGPU: the same one, but that those nodes have names by which they can be kept from it. */
export function forWebgpu(bytes: Uint8Array, buffers: number): ForWebgpu {
  const model = quietly(() => decodeModel(bytes));
  const typed = model && (quietly(() => inferShapes(model.graph)) ?? model.graph);
  const wrong = new Set(model?.graph.nodes.filter((node) => isWrong(node, typed!, buffers)));
  if (!model || wrong.size === 0) return { bytes, onCpu: [] };
  const known = new Set<string>();
  const twice = model.graph.nodes.some((n) => n.name !== "" && known.size === known.add(n.name).size);
  const unnamed = [...wrong].some((n) => n.name === "");
  if (!twice && !unnamed) return { bytes, onCpu: [...wrong].map((n) => n.name) };
  const onCpu: string[] = [];
  const nodes = model.graph.nodes.map((node, i) => {
    if (!wrong.has(node)) return node;
    // A line each is how the names are handed over.
    const name = `${node.name.replaceAll("\n", " ")}#${i}`;
    onCpu.push(name);
    return { ...node, name };
  });
  return { bytes: encodeModel({ ...model, graph: { ...model.graph, nodes } }), onCpu };
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
