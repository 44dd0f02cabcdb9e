import sharp from "sharp";
import { formatShare, formatSigned } from "../../base/format.js";
import type { LayerFeatures } from "../../features/observe.js";
import { type Html, html } from "../../report/html.js";
import { font, ink } from "../chart/render-chart.js";
import { image, mapGrid, type Panel, pairNotes } from "./map-grid.js";
import { mosaic, rangeBy, rangeOf, type Scale } from "./tiles.js";

export const MARGIN = 16;

export const percent = formatShare;
export const signed = formatSigned;
export const clip = (text: string, most: number): string =>
  text.length > most ? `…${text.slice(1 - most)}` : text;

/** One line of figures. */
export function captionOf({ redundancy: r }: LayerFeatures): string {
  const median = r.similarity.median;
  return [
    `${r.maps} maps`,
    `${r.dead} dead`,
    `effective rank ${r.effectiveRank.toFixed(1)}`,
    `redundancy ${percent(r.redundancy)}`,
    median === undefined ? "no pairs" : `similarity ${signed(median)} (median)`,
  ].join(" · ");
}

/** All maps of a layer, numbered, with dead ones and the most alike pairs marked. */
export async function gridPanel(
  layer: LayerFeatures,
  { scale, title = layer.name }: { scale: Scale; title?: string },
): Promise<Panel> {
  const { redundancy, first } = layer;
  const columns = Math.max(8, Math.ceil(Math.sqrt(first.maps)));
  const picture = await mapGrid(layer, { columns, range: rangeBy(scale, first) });
  const top = 64;
  const pairs = pairNotes(redundancy);
  const width = Math.max(picture.width, 560) + 2 * MARGIN;
  const perLine = Math.max(1, Math.floor((width - 2 * MARGIN) / 150));
  const lines = [
    scaleNote(layer, scale),
    pairs.length > 0
      ? "Most alike (cosine of the centred maps):"
      : "No two maps are alike (cosine of the centred maps from 0.9).",
    ...Array.from({ length: Math.ceil(pairs.length / perLine) }, (_, i) =>
      pairs.slice(i * perLine, (i + 1) * perLine).join("  ·  "),
    ),
  ];
  const foot = top + picture.height + 16;
  const content = html`<text x="${MARGIN}" y="28" font-size="16" font-weight="700" fill="${ink.text}">${clip(title, Math.floor(width / 10))}</text>
<text x="${MARGIN}" y="48" font-size="12" fill="${ink.soft}">${captionOf(layer)}</text>
<g transform="translate(${MARGIN} ${top})">${picture.content}</g>
${lines.map((line, i) => html`<text x="${MARGIN}" y="${foot + i * 16}" font-size="12" fill="${ink.text}">${line}</text>`)}`;
  return { width, height: foot + lines.length * 16, content };
}

function scaleNote({ first, through, op }: LayerFeatures, scale: Scale): string {
  const of = `${first.height}×${first.width}, ${[op, ...through].join(" → ")}, first image.`;
  if (scale === "map") return `${of} Each map from its least value (black) to its largest (white).`;
  const [low, high] = rangeOf(first.values, 0, first.values.length);
  return `${of} Black ${low.toPrecision(3)}, white ${high.toPrecision(3)} for all maps.`;
}

const STRIP = 16;

/** The first maps of each layer in a row, with its figures. */
export async function sheetPanel(
  layers: readonly LayerFeatures[],
  { scale, title }: { scale: Scale; title: string },
): Promise<Panel> {
  const rows: Html[] = [];
  let y = 44;
  let width = 640;
  for (const layer of layers) {
    const { first } = layer;
    const strip = await mosaic(first, {
      ...{ columns: STRIP, side: 48, gap: [4, 4], range: rangeBy(scale, first) },
      which: Array.from({ length: Math.min(STRIP, first.maps) }, (_, m) => m),
    });
    const more = layer.first.maps > STRIP ? ` (the first ${STRIP} shown)` : "";
    rows.push(html`<text x="${MARGIN}" y="${y + 12}" font-size="13" font-weight="700" fill="${ink.text}">${clip(layer.name, 90)}</text>
<text x="${MARGIN}" y="${y + 28}" font-size="11" fill="${ink.soft}">${captionOf(layer)}${more}</text>
<g transform="translate(${MARGIN} ${y + 36})">${image(strip)}</g>`);
    y += 36 + strip.height + 14;
    width = Math.max(width, strip.width + 2 * MARGIN);
  }
  const content = html`<text x="${MARGIN}" y="28" font-size="16" font-weight="700" fill="${ink.text}">${clip(title, Math.floor(width / 10))}</text>
${rows}`;
  return { width, height: y, content };
}

/** Panels next to each other. */
export function beside(panels: readonly Panel[]): Panel {
  let x = 0;
  const parts = panels.map(({ width, content }) => {
    const part = html`<g transform="translate(${x} 0)">${content}</g>`;
    x += width;
    return part;
  });
  return { width: x, height: Math.max(...panels.map((p) => p.height)), content: html`${parts}` };
}

/** The drawing as an SVG file of its own. */
export const svgOf = ({ width, height, content }: Panel): string =>
  html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${font}">
<rect width="${width}" height="${height}" fill="${ink.paper}"/>
${content}
</svg>
`.markup;

/** The same as PNG. */
export const pngOf = (svg: string): Promise<Buffer> =>
  sharp(Buffer.from(svg), { unlimited: true }).flatten({ background: ink.paper }).png().toBuffer();
