import type { Graph } from "../graph/ir.js";
import type { PlacedUnit } from "../nn/placed-unit.js";
import { lower } from "../ops/lower.js";
import { foldBatchNorm } from "./fold-batch-norm.js";
import { fuseScconv } from "./scconv/index.js";
import { shortcutsAsConvolutions } from "./shortcuts-as-convolutions.js";

export { findUnits } from "./find-units.js";
export { foldBatchNorm } from "./fold-batch-norm.js";
export { fuseScconv } from "./scconv/index.js";

/** A trained graph as it is deployed: units in their short form, batch norms folded, shortcuts by convolution, standard operators only. */
export const deploy = (graph: Graph, units: readonly PlacedUnit[] = []): Graph =>
  lower(shortcutsAsConvolutions(foldBatchNorm(fuseScconv(graph, units))));
