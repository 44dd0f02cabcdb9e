import { intAttr, type Node } from "../graph/ir.js";

/** A negative axis or index counts from the end. */
export const positive = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The node's `axis`, from the front. */
export const axisOf = (node: Node, rank: number, fallback: number): number =>
  positive(intAttr(node, "axis", fallback), rank);
