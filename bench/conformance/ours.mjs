// Which operators are in our table.
import { unsupportedOperators, whyUnsupported } from "../../dist/ops/unsupported.js";

export const isOurs = (key) => whyUnsupported(key) === undefined;

/** Operators of a graph and its sub-graphs for which we have no rules. */
export const strangers = (graph) => unsupportedOperators(graph).map((u) => u.op);
