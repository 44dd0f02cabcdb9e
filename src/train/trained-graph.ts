import type { Graph } from "../graph/ir.js";
import { unpack } from "./flat.js";
import { withInitializers } from "./parts.js";
import { finalWeights, type Trainer } from "./trainer.js";

/** The network that was trained with the trainer's values as its constants, copied; averaged ones where an average is kept. */
export function trainedGraph(student: Graph, { program, state }: Pick<Trainer, "program" | "state">): Graph {
  const { parameters, statistics } = program;
  const weights = finalWeights(program, state);
  const tensors = unpack(parameters, weights.get("parameters")!);
  if (statistics.size > 0) {
    for (const [name, t] of unpack(statistics, weights.get("statistics")!)) tensors.set(name, t);
  }
  return withInitializers(student, tensors);
}
