import type { LayerFeatures } from "../../features/observe.js";
import { table } from "../table.js";
import { percent, signed } from "./panels.js";

/** What `--json` says of a layer. */
export function documentOf({ name, op, value, through, redundancy: r, first, unit }: LayerFeatures) {
  const { maps, pixels, dead, redundancy, effectiveRank, constant, zeros, similarity, mostAlike, deadMaps } =
    r;
  return {
    ...{ name, op, value, through },
    size: [first.height, first.width],
    ...{ maps, pixels, dead, deadMaps, constant, zeros, redundancy, effectiveRank },
    similarity: { ...similarity, median: similarity.median ?? null },
    mostAlike,
    ...(unit ? { unit } : {}),
  };
}

/** The same for the terminal; with `compared`, what another model has in its place below each layer. */
export function textOf(
  layers: readonly LayerFeatures[],
  counterpart: (layer: LayerFeatures) => LayerFeatures | undefined,
  compared: boolean,
): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const columns = [
    ...[{ title: "layer" }, { title: "operator" }, right("maps"), right("dead"), right("zeros")],
    ...[right("similarity"), right("alike"), right("rank"), right("redundancy")],
  ];
  const cells = ({ redundancy: r }: LayerFeatures) => [
    `${r.maps}`,
    `${r.dead}`,
    percent(r.zeros),
    r.similarity.median === undefined ? "–" : signed(r.similarity.median),
    percent(r.similarity.alike),
    r.effectiveRank.toFixed(1),
    percent(r.redundancy),
  ];
  const rows = layers.flatMap((l) => {
    const other = counterpart(l);
    const beside = other
      ? ["  compared", other.op, ...cells(other)]
      : ["  compared", "not there", "", "", "", "", "", "", ""];
    return [[l.name, l.op, ...cells(l)], ...(compared ? [beside] : [])];
  });
  return table(columns, rows);
}
