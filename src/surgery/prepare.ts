import type { Graph } from "../graph/ir.js";
import { foldConstants } from "../ops/fold.js";
import { inferShapes } from "../ops/infer.js";
import { upgrade } from "../ops/upgrade.js";

/** A user's graph as surgery and training want it: canonical operator set, constants folded, types known. */
export function prepare(graph: Graph): Graph {
  return inferShapes(foldConstants(inferShapes(upgrade(graph))));
}
