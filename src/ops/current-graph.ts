import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { verify } from "../graph/verify.js";
import { operators } from "./index.js";
import { upgrade } from "./upgrade.js";

/** A graph as it was read, brought up to the operator set that our rules are written for, and checked. Errors name `where`. */
export function currentGraph(graph: Graph, where: string): Graph {
  try {
    const current = upgrade(graph);
    verify(current, operators);
    return current;
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    throw new ScconvError(error.code, error.message, { where, cause: error });
  }
}
