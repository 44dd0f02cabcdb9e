/*
 * SCConv for inference in its least number of passes over memory, with constants for parameters: gate.ts, squeezes.ts and
 * branches.ts say what each part becomes and why it is exact in real arithmetic; test/optimise holds both graphs equal.
 */
import type { Graph } from "../../graph/ir.js";
import { producers } from "../../graph/walk.js";
import type { PlacedUnit } from "../../nn/placed-unit.js";
import type { ScconvSettings } from "../../nn/scconv.js";
import { rebuild } from "../../ops/rebuild.js";
import { fused } from "./branches.js";
import { parametersOf } from "./parameters.js";
import { squeezed } from "./squeezes.js";

/** Rewrites the units; those whose settings have no short form (order other than sc, soft gate, fuse all) stay. */
export function fuseScconv(graph: Graph, units: readonly PlacedUnit[]): Graph {
  const byOutput = new Map(units.filter((u) => isShort(u.settings)).map((u) => [u.output, u]));
  if (byOutput.size === 0) return graph;
  const makers = producers(graph);
  const rewritten = new Map<string, string>();
  return rebuild(graph, (node, _inputs, b) => {
    const unit = byOutput.get(node.outputs[0]!);
    if (!unit) return undefined;
    const x = b.value(rewritten.get(unit.input) ?? unit.input);
    const parameters = parametersOf(graph, unit, { last: node, maker: makers.get(unit.input) });
    const made = b.scope(unit.name, () => fused(...squeezed(x, parameters), parameters));
    rewritten.set(unit.output, made.name);
    return [made];
  }).graph;
}

const isShort = ({ order, gate, fuse }: ScconvSettings): boolean =>
  order === "sc" && gate !== "soft" && fuse === "pair";
