import { ScconvError } from "../base/errors.js";
import { globs } from "../base/glob.js";
import type { Graph } from "../graph/ir.js";
import type { Candidate } from "./match.js";
import { secondConvolutions } from "./residual.js";

/** Which of the candidates `--layers` names: `all`, `second`, or globs (`*`, `?`) over node names, separated by commas. */
export function selectLayers(graph: Graph, candidates: readonly Candidate[], layers: string): Set<Candidate> {
  if (layers === "all") return new Set(candidates);
  if (layers === "second") {
    const second = secondConvolutions(graph);
    return new Set(candidates.filter((c) => second.has(c.node)));
  }
  const chosen = new Set<Candidate>();
  for (const glob of globs(layers)) {
    const matches = candidates.filter((c) => glob.test(c.name));
    if (matches.length === 0) {
      throw new ScconvError("bad-input", `--layers: no convolution is called "${glob.pattern}"`, {
        hint: `there are ${candidates
          .map((c) => c.name)
          .slice(0, 8)
          .join(", ")}${candidates.length > 8 ? " …" : ""}`,
      });
    }
    for (const c of matches) chosen.add(c);
  }
  return chosen;
}
