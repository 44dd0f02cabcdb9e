import type { Maps } from "../../features/maps.js";
import type { LayerFeatures } from "../../features/observe.js";
import type { Redundancy } from "../../features/redundancy.js";
import { type Html, html } from "../../report/html.js";
import { ink } from "../chart/render-chart.js";
import { type Mosaic, mosaic, type Range } from "./tiles.js";

/** A piece of an SVG drawing and the room that it takes. */
export interface Panel {
  readonly width: number;
  readonly height: number;
  readonly content: Html;
}

/** Under each map, for its number. */
export const LABEL = 14;
/** Okabe & Ito's colours, told apart by all kinds of sight; each pair has a letter besides. */
const colours = ["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#8c6d1f"];
const letters = "ABCDEFGH";

export interface MapGridOptions {
  readonly columns: number;
  /** Which maps; default all. */
  readonly which?: readonly number[] | undefined;
  readonly range: (map: number) => Range;
}

/** Maps of a layer in rows, numbered, with dead ones crossed out and the most alike pairs framed and lettered. */
export async function mapGrid(
  { redundancy, first }: Pick<LayerFeatures, "redundancy" | "first">,
  { columns, which = Array.from({ length: first.maps }, (_, m) => m), range }: MapGridOptions,
): Promise<Panel> {
  const picture = await mosaic(first, { columns, side: 64, gap: [8, LABEL + 6], which, range });
  const pairOf = new Map(redundancy.mostAlike.flatMap((p, k) => p.maps.map((m) => [m, k] as const)));
  const dead = new Set(redundancy.deadMaps);
  const { tile } = picture;
  const marks = which.map((m, place) => {
    const [x, y] = picture.at(place);
    const k = pairOf.get(m);
    const colour = k === undefined ? ink.soft : colours[k]!;
    const label = k === undefined ? (dead.has(m) ? `${m} dead` : `${m}`) : `${m} ${letters[k]}`;
    const frame =
      k === undefined
        ? edge(picture, place)
        : html`<rect x="${x - 1.5}" y="${y - 1.5}" width="${tile.width + 3}" height="${tile.height + 3}" fill="none" stroke="${colour}" stroke-width="3"/>`;
    const cross = dead.has(m)
      ? html`<path d="M${x} ${y}l${tile.width} ${tile.height}m0 ${-tile.height}l${-tile.width} ${tile.height}" stroke="#d55e00" stroke-width="1.5"/>`
      : undefined;
    return html`${frame}${cross}<text x="${x}" y="${y + tile.height + LABEL - 2}" font-size="11" font-weight="${k === undefined ? 400 : 700}" fill="${colour}">${label}</text>`;
  });
  return { width: picture.width, height: picture.height, content: html`${image(picture)}${marks}` };
}

/** The same without marks, for maps of which nothing was measured. */
export async function plainGrid(
  maps: Maps,
  { columns, which, range }: MapGridOptions & { readonly which: readonly number[] },
): Promise<Panel> {
  const picture = await mosaic(maps, { columns, side: 64, gap: [6, LABEL + 4], which, range });
  const numbers = which.map((m, place) => {
    const [x, y] = picture.at(place);
    return html`${edge(picture, place)}<text x="${x}" y="${y + picture.tile.height + LABEL - 3}" font-size="10" fill="${ink.soft}">${m}</text>`;
  });
  return { width: picture.width, height: picture.height, content: html`${image(picture)}${numbers}` };
}

function edge({ at, tile }: Mosaic, place: number): Html {
  const [x, y] = at(place);
  return html`<rect class="edge" x="${x - 0.5}" y="${y - 0.5}" width="${tile.width + 1}" height="${tile.height + 1}" fill="none" stroke="${ink.rule}"/>`;
}

/** `A: 3 ~ 17 (0.962)`, for each marked pair. */
export const pairNotes = ({ mostAlike }: Redundancy): string[] =>
  mostAlike.map(({ maps: [a, b], similarity }, k) => `${letters[k]}: ${a} ~ ${b} (${similarity.toFixed(3)})`);

export const image = ({ png, width, height }: Pick<Mosaic, "png" | "width" | "height">): Html =>
  html`<image width="${width}" height="${height}" href="data:image/png;base64,${Buffer.from(png).toString("base64")}"/>`;
