import { type Html, html } from "../../report/html.js";
import { font, ink } from "../chart/render-chart.js";
import { clip } from "./panels.js";

export interface RedundancyRow {
  readonly name: string;
  /** 0 … 1, one for each series; undefined where it has no such layer. */
  readonly values: readonly (number | undefined)[];
}

export interface RedundancyChartOptions {
  /** Names of the networks, up to four. */
  readonly series: readonly string[];
  /** Under the title. */
  readonly note: string;
}

/** Told apart by form as well as by colour. */
const marks: readonly ((x: number, y: number) => Html)[] = [
  (x, y) =>
    html`<circle cx="${x}" cy="${y}" r="5" fill="${ink.paper}" stroke="${ink.soft}" stroke-width="2"/>`,
  (x, y) => html`<circle cx="${x}" cy="${y}" r="5.5" fill="${ink.main}"/>`,
  (x, y) => html`<path d="M${x} ${y - 6}l6 6l-6 6l-6 -6z" fill="${ink.other}"/>`,
  (x, y) => html`<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9" fill="#7a5195"/>`,
];

const size = { width: 820, row: 22, top: 92, names: 270, right: 40 };
const NAME = 38;

/** How much of each layer's maps repeats, as an SVG file: a row for each layer, a mark for each network. */
export function redundancyChart(
  rows: readonly RedundancyRow[],
  { series, note }: RedundancyChartOptions,
): string {
  const { width, row, top, names, right } = size;
  const bottom = top + rows.length * row;
  const x = (share: number) =>
    Math.round((names + Math.max(0, Math.min(1, share)) * (width - names - right)) * 10) / 10;
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const lines = rows.map(({ name, values }, i) => {
    const y = top + (i + 0.5) * row;
    const known = values.filter((v) => v !== undefined);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const span =
      known.length > 1
        ? html`<line x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}" stroke="${ink.rule}" stroke-width="4"/>`
        : undefined;
    return html`<text x="${names - 14}" y="${y + 4}" text-anchor="end" font-size="12" fill="${ink.text}">${clip(name, NAME)}</text>${span}${values.map((v, k) => (v === undefined ? undefined : marks[k]!(x(v), y)))}`;
  });
  let at = 16;
  const legend = series.map((name, k) => {
    const shown = clip(name, 40);
    const entry = html`${marks[k]!(at + 6, 66)}<text x="${at + 18}" y="70" font-size="12" fill="${ink.text}">${shown}</text>`;
    at += 42 + shown.length * 6.6;
    return entry;
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom + 52}" viewBox="0 0 ${width} ${bottom + 52}" font-family="${font}">
<title>Redundancy of the feature maps, by layer: ${series.join(", ")}</title>
<rect width="${width}" height="${bottom + 52}" fill="${ink.paper}"/>
<text x="16" y="26" font-size="16" font-weight="700" fill="${ink.text}">Redundancy of the feature maps, by layer</text>
<text x="16" y="46" font-size="12" fill="${ink.soft}">${note}</text>
${legend}
${ticks.map((t) => html`<line x1="${x(t)}" x2="${x(t)}" y1="${top}" y2="${bottom}" stroke="${ink.rule}"/><text x="${x(t)}" y="${bottom + 18}" text-anchor="middle" font-size="12" fill="${ink.soft}">${Math.round(t * 100)} %</text>`)}
${lines}
<text x="${(names + width - right) / 2}" y="${bottom + 40}" text-anchor="middle" font-size="12" fill="${ink.soft}">1 − effective rank ÷ maps</text>
</svg>
`.markup;
}
