import { formatShare, formatSigned } from "../base/format.js";
import { median } from "../base/spread.js";
import type { MapFigures, RedundancyReport } from "../surgery/report.js";
import { type Html, html } from "./html.js";

type Row = RedundancyReport["layers"][number];

/** How much of the swapped layers' maps repeats, before and after, as figures with a scale behind each. */
export function redundancySection({ images, layers }: RedundancyReport, seed: number): Html {
  const scale = (what: string, ends: string) => html`<th>${what}<br><small>${ends}</small></th>`;
  return html`<h2>Redundancy of the swapped layers</h2>
<div class="panel">
<p>${summary(layers)} Measured on ${images} image${images === 1 ? "" : "s"} of the evaluation split (seed ${seed}), on what the next layer gets.</p>
<p class="legend" aria-hidden="true"><span><b class="mark"></b> before</span><span><b class="mark new"></b> after</span></p>
<table class="folds stacked"><thead><tr><th>layer</th>${scale("redundancy", "0 … 100 %")}${scale("dead maps", "0 … 100 %")}${scale("similarity, median", "−1 … 1")}${scale("pairs alike", "0 … 100 %")}</tr></thead>
<tbody>${layers.map(row)}</tbody></table>
<p>Redundancy is 1 − effective rank ÷ maps: the rank is the number of directions that the maps span, were all of them to carry the same (exp of the entropy of the covariance’s eigenvalues). Dead maps stay silent on all of these images. Similarity is the cosine of two maps less their means, over all pairs; alike are those from 0.9 on. docs/features.md defines each figure.</p>
<p>How much of a change comes from the units and how much from the fine-tuning is not told by this: the original was not fine-tuned beside it.${fewPixels(layers)}</p>
</div>`;
}

/** What was found, whichever way it went. */
function summary(layers: readonly Row[]): string {
  const n = layers.length;
  const all = n === 1 ? "the one swapped layer" : `${n} swapped layers`;
  const fell = layers.filter(({ before, after }) => after.effectiveRank < before.effectiveRank * (1 - SAME));
  const rose = layers.filter(({ before, after }) => after.effectiveRank > before.effectiveRank * (1 + SAME));
  const of = (figure: (m: MapFigures) => number) =>
    (["before", "after"] as const).map((k) => figures(layers.map((l) => figure(l[k]))));
  const figures = (values: readonly number[]) => ({ middle: median(values), sum: sum(values) });
  const [redundancy, dead, alike] = [
    of((m) => m.redundancy),
    of((m) => m.dead),
    of((m) => m.similarity.alike),
  ];
  const less = redundancy[1]!.middle - redundancy[0]!.middle;
  const verdict =
    Math.abs(less) < SAME
      ? "By this measure the slimmed network is as redundant there as the original."
      : `By this measure the slimmed network is ${less > 0 ? "more" : "less"} redundant there than the original.`;
  const maps = sum(layers.map((l) => l.before.maps));
  return [
    `Of ${all} the effective rank fell in ${fell.length}, rose in ${rose.length} and stayed within ${100 * SAME} % in ${n - fell.length - rose.length};`,
    `redundancy went from ${formatShare(redundancy[0]!.middle)} to ${formatShare(redundancy[1]!.middle)} (median of the layers).`,
    verdict,
    `Dead maps: ${dead[0]!.sum} → ${dead[1]!.sum} of ${maps}; pairs alike: ${formatShare(alike[0]!.middle)} → ${formatShare(alike[1]!.middle)} (median).`,
  ].join(" ");
}

/** A change of the rank, or of the redundancy, below this is none. */
const SAME = 0.01;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function row({ name, through, before, after }: Row): Html {
  const { maps } = before;
  const of = (m: MapFigures) => m.similarity.median;
  const cell = (label: string, text: string, places: readonly (number | null)[], kind = "") =>
    html`<td class="num dots" data-label="${label}"><span>${text}</span><div class="track ${kind}" aria-hidden="true">${span(places)}${places.map((p, i) => (p === null ? undefined : html`<b class="mark${i === 1 ? " new" : ""}" style="left:${at(p)}%"></b>`))}</div></td>`;
  const pair = (format: (m: MapFigures) => string) => `${format(before)} → ${format(after)}`;
  const shares = (share: (m: MapFigures) => number) => [share(before), share(after)];
  return html`<tr><td class="name">${name}<br><small>${maps} maps${through.length > 0 ? `, behind ${through.join(", ")}` : ""} · rank ${pair((m) => m.effectiveRank.toFixed(1))}</small></td>
${cell(
  "redundancy",
  pair((m) => formatShare(m.redundancy)),
  shares((m) => m.redundancy),
)}
${cell(
  "dead maps",
  pair((m) => `${m.dead}`),
  shares((m) => m.dead / m.maps),
)}
${cell(
  "similarity, median",
  pair((m) => (of(m) === null ? "–" : formatSigned(of(m)!))),
  [before, after].map((m) => (of(m) === null ? null : (of(m)! + 1) / 2)),
  "middle",
)}
${cell(
  "pairs alike",
  pair((m) => formatShare(m.similarity.alike)),
  shares((m) => m.similarity.alike),
)}</tr>`;
}

const at = (share: number): string => (100 * Math.max(0, Math.min(1, share))).toFixed(1);

function span(places: readonly (number | null)[]): Html | undefined {
  const known = places.filter((p) => p !== null);
  if (known.length < 2) return undefined;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return html`<i style="left:${at(low)}%;width:${at(high - low)}%"></i>`;
}

function fewPixels(layers: readonly Row[]): string {
  const few = layers.filter((l) => Math.min(l.before.pixels, l.after.pixels) <= l.before.maps);
  return few.length === 0
    ? ""
    : ` In ${few.length} of the layers the maps of these images have no more pixels than there are maps, which bounds the rank: more images would say more there.`;
}
