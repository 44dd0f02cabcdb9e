import type { Graph } from "../graph/ir.js";
import { costOf, type NodeCost } from "../ops/cost.js";
import { convName } from "../surgery/match.js";
import type { LayerRow } from "../surgery/report.js";
import type { Swapped } from "../surgery/swap.js";
import { perImage } from "./cost.js";

/**
 * Every convolution of the original with what stands there now: its own cost before, and after that of all nodes that
 * the swap made in its scope.
 */
export function layerRows(
  original: Graph,
  slimmed: Graph,
  swapped: Pick<Swapped, "units" | "kept">,
): LayerRow[] {
  const before = new Map(costOf(perImage(original)).nodes.map((n) => [convName(n.node), n]));
  const after = costOf(perImage(slimmed)).nodes;
  const units = new Map(swapped.units.map((u) => [u.node, u]));
  const kept = new Map(swapped.kept.map((k) => [k.name, k.reason]));
  const rows: LayerRow[] = [];
  for (const [name, cost] of before) {
    if (cost.node.op !== "Conv" || cost.node.domain !== "") continue;
    const unit = units.get(name);
    const [parameters, macs] = sum([cost]);
    if (!unit) {
      const reason = kept.get(name) ?? "not chosen";
      rows.push({
        name,
        from: label(cost, original),
        reason,
        parameters: [parameters, parameters],
        macs: [macs, macs],
      });
      continue;
    }
    const [newParameters, newMacs] = sum(after.filter((n) => n.node.name.startsWith(`${unit.name}.`)));
    rows.push({
      ...{ name, from: label(cost, original), to: "SCConv" },
      ...(unit.adapted.length > 0 ? { reason: unit.adapted.join(", ") } : {}),
      parameters: [parameters, newParameters],
      macs: [macs, newMacs],
    });
  }
  return rows;
}

const sum = (nodes: readonly NodeCost[]): [number, number] => [
  nodes.reduce((n, c) => n + c.parameters, 0),
  nodes.reduce((n, c) => n + (typeof c.macs === "number" ? c.macs : 0), 0),
];

/** `Conv 3×3`, by the weights. */
function label({ node }: NodeCost, graph: Graph): string {
  const kernel = graph.initializers.get(node.inputs[1] ?? "")?.dims.slice(2);
  return kernel?.length ? `Conv ${kernel.join("×")}` : "Conv";
}
