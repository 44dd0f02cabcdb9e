import { formatShare, formatSigned } from "scconv";
import type { LayerMaps } from "../worker/protocol.js";

/** What was found of a layer's maps, in a line. */
export const captionOf = ({ maps, height, width, redundancy: r }: LayerMaps): string =>
  [
    `${maps} maps of ${height}×${width}`,
    `${r.dead} dead`,
    `effective rank ${r.effectiveRank.toFixed(1)}`,
    `redundancy ${formatShare(r.redundancy)}`,
    r.similarity.median === undefined
      ? "no pairs"
      : `similarity ${formatSigned(r.similarity.median)} (median)`,
  ].join(" · ");
