import type { Graph, ValueInfo } from "./ir.js";

/** Inputs that have to be fed: files before IR 4 list the weights among the inputs too. */
export const fedInputs = (graph: Graph): readonly ValueInfo[] =>
  graph.inputs.filter((i) => !graph.initializers.has(i.name));
