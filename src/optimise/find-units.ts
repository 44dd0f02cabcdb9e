import type { Graph, Node } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import { cruNames } from "../nn/cru.js";
import type { PlacedUnit } from "../nn/placed-unit.js";
import type { ScconvSettings } from "../nn/scconv.js";

const marker = `.${cruNames.gwc}`;

/**
 * The SCConv units of a graph that the zoo built, by the names of their parameters; all share `settings` but for the
 * kernel and the stride, which are read off the shapes.
 */
export function findUnits(graph: Graph, settings: ScconvSettings): PlacedUnit[] {
  const maker = producers(graph);
  const readers = consumers(graph);
  const shapes = new Map([...graph.types].map(([name, t]) => [name, t.shape]));
  const units: PlacedUnit[] = [];
  for (const name of graph.initializers.keys()) {
    if (!name.endsWith(marker)) continue;
    const scope = name.slice(0, -marker.length);
    const inside = (node: Node | undefined) => node?.name.startsWith(`${scope}.`) === true;
    const nodes = graph.nodes.filter(inside);
    const input = nodes
      .flatMap((n) => n.inputs)
      .find((v) => v !== "" && !graph.initializers.has(v) && !inside(maker.get(v)));
    const output = nodes
      .flatMap((n) => n.outputs)
      .find((v) => (readers.get(v) ?? []).some((n) => !inside(n)));
    if (input === undefined || output === undefined) continue;
    const [before, after] = [shapes.get(input)?.[2], shapes.get(output)?.[2]];
    if (typeof before !== "number" || typeof after !== "number") continue;
    const [next, ...more] = readers.get(output) ?? [];
    const norm = more.length === 0 && next?.op === "BatchNormalization" ? next : undefined;
    units.push({
      name: scope,
      input,
      output: norm?.outputs[0] ?? output,
      settings: {
        ...settings,
        kernel: graph.initializers.get(name)!.dims[2]!,
        stride: Math.round(before / after),
      },
      norm: norm && { parameters: norm.inputs.slice(1, 5) },
    });
  }
  return units;
}
