import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import type { Graph } from "../graph/ir.js";
import { averageSlots } from "./average.js";
import type { Checkpoint } from "./checkpoint.js";
import { flatLayout, unpack } from "./flat.js";
import { trainableParts, withInitializers } from "./parts.js";

/**
 * The graph of a run with the weights of one of its checkpoints: the averaged ones where an average was kept. `graph` is
 * built from the run's settings, so that its parameters come in the order of the checkpoint's vectors. Throws `bad-input`
 * where they do not have its length.
 */
export function withCheckpoint(graph: Graph, { state }: Pick<Checkpoint, "state">, where: string): Graph {
  const parts = trainableParts(graph);
  const tensors = new Map<string, Tensor>();
  for (const slot of ["parameters", "statistics"] as const) {
    const layout = flatLayout([...parts[slot]].map(([name, t]) => [name, t.dims]));
    if (layout.size === 0) continue;
    const flat = state.get(averageSlots[slot]) ?? state.get(slot);
    if (flat?.size !== layout.size) {
      throw new ScconvError("bad-input", `the ${slot} are not those of this network`, {
        where,
        got: `${flat?.size ?? 0} numbers`,
        need: `${layout.size}`,
      });
    }
    for (const [name, tensor] of unpack(layout, flat)) tensors.set(name, tensor);
  }
  return withInitializers(graph, tensors);
}
