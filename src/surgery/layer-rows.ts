import type { Graph } from "../graph/ir.js";
import { costOf, type NodeCost } from "../ops/cost.js";
import { perImage } from "../ops/per-image.js";
import { convName } from "./match.js";
import type { LayerRow, Pair } from "./report.js";
import type { Swapped } from "./swap.js";
import type { UnitRecord } from "./unit.js";

/**
 * Every convolution of the original with what stands there now: its own cost before; after, what the unit learns, and the
 * multiply-adds of all nodes in its scope as the graph is written.
 */
export function layerRows(original: Graph, written: Graph, swapped: Swapped): LayerRow[] {
  const before = new Map(costOf(perImage(original)).nodes.map((n) => [convName(n.node), n]));
  const after = costOf(perImage(written)).nodes;
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
    const [, newMacs] = sum(after.filter((n) => n.node.name.startsWith(`${unit.name}.`)));
    rows.push({
      ...{ name, from: label(cost, original), to: "SCConv" },
      ...(unit.adapted.length > 0 ? { reason: unit.adapted.join(", ") } : {}),
      parameters: [parameters, learned(swapped.graph, unit)],
      macs: [macs, newMacs],
    });
  }
  return rows;
}

/** Of the whole network: the original's, less what was replaced, plus what the units learn. */
export function totalParameters(original: Graph, rows: readonly LayerRow[]): Pair {
  const before = costOf(perImage(original)).parameters;
  return [before, rows.reduce((total, { parameters: [b, a] }) => total + a - b, before)];
}

/** By name: a unit's graph also holds constants that nobody learns (rows of an identity, a block diagonal). */
function learned({ initializers }: Graph, { name }: UnitRecord): number {
  let total = 0;
  for (const [key, { size }] of initializers) {
    if (key.startsWith(`${name}.`) && /^(sru|cru|conv|bn)\.(?!running_)/.test(key.slice(name.length + 1))) {
      total += size;
    }
  }
  return total;
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
