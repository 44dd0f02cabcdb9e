import type { Graph } from "../graph/ir.js";
import { foldConstants } from "../ops/fold.js";
import { upgrade } from "../ops/upgrade.js";

/** A user's graph as surgery and training want it: canonical operator set, constants folded, types known. */
export function prepare(graph: Graph): Graph {
  return foldConstants(upgrade(graph));
}
