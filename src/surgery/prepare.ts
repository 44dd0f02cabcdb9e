import type { Graph } from "../graph/ir.js";
import { foldConstants } from "../ops/fold.js";
import { upgrade } from "../ops/upgrade.js";
import { foldPads } from "./fold-pads.js";

/** A user's graph as surgery and training want it: canonical operator set, constants and padding folded, types known. */
export function prepare(graph: Graph): Graph {
  return foldPads(foldConstants(upgrade(graph)));
}
