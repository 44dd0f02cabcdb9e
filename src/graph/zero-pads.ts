import { type Graph, type Node, stringAttr } from "./ir.js";

/**
 * Of a Pad that puts known numbers of zeros around a value of `rank` axes, these numbers: [begins …, ends …]. Undefined for any
 * other node, and where it cuts (pads below 0).
 */
export function zeroPads(graph: Graph, node: Node, rank: number): readonly number[] | undefined {
  if (node.op !== "Pad" || node.domain !== "" || stringAttr(node, "mode", "constant") !== "constant")
    return undefined;
  const known = (i: number) => {
    const tensor = graph.initializers.get(node.inputs[i] ?? "");
    return tensor && Array.from(tensor.numbers());
  };
  const left = (i: number) => (node.inputs[i] ?? "") === "";
  const pads = known(1);
  const axes = left(3) ? Array.from({ length: rank }, (_, i) => i) : known(3);
  const value = left(2) ? 0 : known(2)?.[0];
  if (!pads || !axes || value !== 0 || pads.length !== 2 * axes.length || pads.some((p) => p < 0))
    return undefined;
  const result = new Array<number>(2 * rank).fill(0);
  for (const [i, axis] of axes.entries()) {
    const at = axis < 0 ? axis + rank : axis;
    [result[at], result[at + rank]] = [pads[i]!, pads[i + axes.length]!];
  }
  return result;
}
