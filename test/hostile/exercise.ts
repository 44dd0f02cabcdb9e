import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { verify } from "../../src/graph/verify.js";
import { scconvDefaults } from "../../src/nn/scconv.js";
import { costOf } from "../../src/ops/cost.js";
import { operators } from "../../src/ops/index.js";
import { upgrade } from "../../src/ops/upgrade.js";
import { matchConvolutions } from "../../src/surgery/match.js";
import { prepare } from "../../src/surgery/prepare.js";

/** All that looking at a file and preparing it does: read, bring up to date, check, fold, infer, count, match, write. */
export function exercise(bytes: Uint8Array): Graph {
  const model = decodeModel(bytes);
  verify(upgrade(model.graph), operators);
  const graph = prepare(model.graph);
  costOf(graph);
  matchConvolutions(graph, scconvDefaults);
  decodeModel(encodeModel({ ...model, graph }));
  return graph;
}
