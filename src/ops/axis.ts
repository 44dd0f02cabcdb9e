import { intAttr, intsAttr, type Node } from "../graph/ir.js";
import type { UpgradeContext } from "../graph/operator.js";

/** A negative axis or index counts from the end. */
export const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The node's `axis`, from the front. */
export const axisOf = (node: Node, rank: number, fallback: number): number =>
  positive(intAttr(node, "axis", fallback), rank);

/** Upgrade rule: the axes were an attribute before 13 (Squeeze, Unsqueeze, ReduceSum) or 18 (the other reductions). */
export function axesToInput(node: Node, _from: number, make: UpgradeContext): Node {
  const axes = intsAttr(node, "axes");
  if (!axes) return node;
  const attributes = new Map(node.attributes);
  attributes.delete("axes");
  return { ...node, inputs: [node.inputs[0]!, make.ints(axes)], attributes };
}
