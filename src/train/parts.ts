import type { Tensor } from "../base/tensor.js";
import type { Graph, Node } from "../graph/ir.js";
import { cruNames } from "../nn/cru.js";

/** What of a graph is trained, and what it keeps as running statistics. */
export interface TrainableParts {
  /** Trained tensors by the name of their initializer, in graph order. */
  readonly parameters: Map<string, Tensor>;
  /** Running mean and variance of each batch normalisation. */
  readonly statistics: Map<string, Tensor>;
}

/** Positions at which operators take weights; everything else constant (normalisation of the input, say) stays as it is. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
};

/** Where a constant beside a value that depends on weights is a learned scale or shift. */
const scales = ["Mul", "Add"];

/**
 * A unit's parameters are known by name (SPEC.md): the gate's γ and β are used by arithmetic, not by a normalisation
 * operator, and kernels of the CRU may be put together in the graph before a convolution reads them.
 */
const unitNames = ["sru.gn.weight", "sru.gn.bias", ...Object.values(cruNames)];
const isUnitParameter = (name: string): boolean =>
  unitNames.some((n) => name === n || name.endsWith(`.${n}`));

/**
 * The weights of convolutions, products and normalisations; and, behind the first of them, what values are multiplied with or
 * added to element by element: exporters write the bias of a product, the scale of a layer (Touvron et al. 2021) and, in older
 * operator sets, γ and β of a layer norm so. In front of all weights it is the normalisation of the input, and stays.
 */
export function trainableParts(graph: Graph): TrainableParts {
  const parameters = new Map<string, Tensor>();
  const statistics = new Map<string, Tensor>();
  const take = (name: string | undefined, into: Map<string, Tensor>) => {
    const tensor = name ? graph.initializers.get(name) : undefined;
    if (tensor?.dtype === "float32") into.set(name!, tensor);
  };
  const learned = new Set<string>();
  for (const node of graph.nodes) {
    const behind = node.inputs.some((name) => learned.has(name));
    const before = parameters.size;
    for (const i of weightInputs[node.op] ?? []) take(node.inputs[i], parameters);
    if (behind && scales.includes(node.op)) {
      for (const name of node.inputs)
        if ((graph.initializers.get(name)?.size ?? 0) > 1) take(name, parameters);
    }
    if (behind || parameters.size > before) for (const name of node.outputs) learned.add(name);
    for (const name of node.inputs) if (isUnitParameter(name)) take(name, parameters);
    if (node.op === "BatchNormalization") for (const i of [3, 4]) take(node.inputs[i], statistics);
  }
  return { parameters, statistics };
}

/** Weight decay is for weights: not for biases, and not for the scales and shifts of normalisations. */
export const decays = (dims: readonly number[]): boolean => dims.length > 1;

/** A graph with other values for some of its initializers. */
export function withInitializers(graph: Graph, tensors: ReadonlyMap<string, Tensor>): Graph {
  const initializers = new Map(graph.initializers);
  for (const [name, tensor] of tensors) if (initializers.has(name)) initializers.set(name, tensor);
  return { ...graph, initializers };
}

export const isBatchNorm = (node: Node): boolean => node.op === "BatchNormalization" && node.domain === "";
