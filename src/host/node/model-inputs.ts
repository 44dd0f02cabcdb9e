import type { Graph } from "../../graph/ir.js";
import { bindSizes } from "../../ops/bind.js";
import { type BindOptions, inputSizes } from "../../runtime/random-feeds.js";

/** The graph with a number for every size of its inputs. Throws `bad-setting` where one is left open. */
export const bindInputs = (graph: Graph, options: BindOptions): Graph =>
  bindSizes(graph, inputSizes(graph, options));
