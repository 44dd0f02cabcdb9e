import { type ComparedLayer, compareLayers, counterparts, featureLayers, type Graph } from "scconv";
import { openModelFile } from "scconv/web";
import type { ModelFiles } from "../worker/protocol.js";
import type { Comparer, SeenLayer } from "./protocol.js";

/** Both models are read for the answer, and not kept. */
export function comparer(): Comparer {
  return {
    async compare(one, other, size) {
      const [first, second] = [await graphOf(one), await graphOf(other)];
      const compared = compareLayers(first, second, size);
      const macs = [compared.first.macs, compared.second.macs];
      const seen = seenIn(first, second, one.model.name);
      const units = new Map(seen.map((l) => [l.name, l.other?.op]));
      return {
        layers: compared.layers.map((l) => named(l, units.get(l.name))),
        parameters: [compared.first.parameters, compared.second.parameters],
        macs: macs.every((m) => typeof m === "number") ? (macs as [number, number]) : undefined,
        seen,
      };
    },
  };
}

const graphOf = async ({ model, external }: ModelFiles): Promise<Graph> =>
  (await openModelFile(model, { external })).graph;

function seenIn(first: Graph, second: Graph, where: string): SeenLayer[] {
  const layers = featureLayers(first, { layers: "*", where });
  const others = counterparts({ graph: first, layers }, second, { raw: false, where });
  return layers.map(({ name, op }) => {
    const other = others.get(name);
    return { name, op, other: other && { name: other.name, op: other.op } };
  });
}

/** What several nodes are together, where it is a unit. */
const named = (layer: ComparedLayer, op: string | undefined): ComparedLayer =>
  layer.kind === "replaced" && layer.second && op === "SCConv"
    ? { ...layer, second: { ...layer.second, op } }
    : layer;
