import { fedInputs } from "../graph/fed-inputs.js";
import type { Graph } from "../graph/ir.js";
import { bindSizes } from "./bind.js";
import { costOf, type GraphCost } from "./cost.js";
import { foldConstants } from "./fold.js";

/**
 * Arithmetic on sizes is folded away, arithmetic on weights is not: a kernel that is computed from fewer numbers (GWC and
 * PWC1 as one) is counted by those.
 */
const SIZES_ONLY = { maxElements: 256 };

/** A graph whose sizes are numbers as far as they can be: the batch is one image where the file leaves it open. */
export function perImage(graph: Graph, size?: number): Graph {
  const sizes = new Map<string, number>();
  for (const { type } of fedInputs(graph)) {
    type?.shape?.forEach((d, axis) => {
      if (typeof d !== "string") return;
      if (axis === 0) sizes.set(d, 1);
      else if (size !== undefined && !sizes.has(d)) sizes.set(d, size);
    });
  }
  return foldConstants(sizes.size > 0 ? bindSizes(graph, sizes) : graph, SIZES_ONLY);
}

export const costPerImage = (graph: Graph, size?: number): GraphCost => costOf(perImage(graph, size));

/**
 * Of one image through a network of our own: all sizes but the batch are numbers. Nothing is folded, for a constant that is
 * computed (the rows of an identity) would be counted as if it were learned.
 */
export const networkCost = (network: Graph): GraphCost => {
  const batch = network.inputs[0]?.type?.shape?.[0];
  return costOf(typeof batch === "string" ? bindSizes(network, new Map([[batch, 1]])) : network);
};
