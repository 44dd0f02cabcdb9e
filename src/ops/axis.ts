import { type Attribute, intAttr, intsAttr, type Node } from "../graph/ir.js";
import type { DowngradeContext, UpgradeContext } from "../graph/operator.js";

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

/** What reductions without axes do to each element, where that is not nothing. */
const ofOneElement: Readonly<Record<string, readonly [op: string, again?: "x"]>> = {
  ReduceLogSum: ["Log"],
  ReduceL1: ["Abs"],
  ReduceL2: ["Abs"],
  ReduceSumSquare: ["Mul", "x"],
};

/** Downgrade rule: the axes are an attribute in sets before `since`. */
export const axesToAttribute =
  (since: number) =>
  (node: Node, to: number, make: DowngradeContext): Node => {
    if (to >= since) return node;
    const attributes = new Map(node.attributes);
    const noop = intAttr(node, "noop_with_empty_axes", 0) === 1;
    attributes.delete("noop_with_empty_axes");
    const axes = node.inputs[1] ? make.known(node.inputs[1]) : undefined;
    if (node.inputs[1] && !axes) throw make.cannot(`set ${since}, or constant axes`);
    const inputs = [node.inputs[0]!];
    if (axes && axes.size > 0) {
      attributes.set("axes", { kind: "ints", value: Array.from(axes.numbers()) });
    } else if (noop) {
      const [op, ...again] = ofOneElement[node.op] ?? ["Identity"];
      return { ...node, op, inputs: [...inputs, ...again.map(() => inputs[0]!)], attributes: new Map() };
    }
    return { ...node, inputs, attributes };
  };

/** The attributes without some. */
export const without = (node: Node, ...names: string[]): Map<string, Attribute> =>
  new Map([...node.attributes].filter(([name]) => !names.includes(name)));
