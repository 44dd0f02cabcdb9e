import type { Maps } from "../../features/maps.js";
import type { LayerFeatures } from "../../features/observe.js";
import { DEAD } from "../../features/redundancy.js";
import type { SruMaps } from "../../features/sru-parts.js";
import { html } from "../../report/html.js";
import { ink } from "../chart/render-chart.js";
import { type Panel, plainGrid } from "./map-grid.js";
import { clip, MARGIN, percent } from "./panels.js";
import { type Range, rangeBy, rangeOf, type Scale } from "./tiles.js";

/** The four stations, as the paper's equations 4 to 6 name them. */
const stations = [
  ["input", "in: x"],
  ["rich", "gated rich: X1 = W1 ⊙ x"],
  ["poor", "gated poor: X2 = W2 ⊙ x"],
  ["out", "out: X11 + X22, X12 + X21"],
] as const satisfies readonly (readonly [keyof SruMaps, string])[];

/** So many maps: half of them from each half of the channels, for these are added crosswise. */
const MOST = 32;
const COLUMNS = 8;

/** One of the four, for those who lay them out. */
export interface SruStation {
  readonly label: string;
  readonly grid: Panel;
}

export interface SruStations {
  readonly stations: readonly SruStation[];
  /** Which maps are in it, how large they are, and how much the gate lets through. */
  readonly caption: string;
  /** What black and white are. */
  readonly note: string;
}

/** What an SRU does with an image: the same maps four times over, in greys that mean the same in all four. */
export async function sruStations(
  { unit }: Pick<LayerFeatures, "unit">,
  sru: SruMaps,
  scale: Scale,
): Promise<SruStations> {
  const { maps, height, width } = sru.input;
  const half = maps / 2;
  const each = Math.min(half, MOST / 2);
  const which = Array.from({ length: 2 * each }, (_, i) => (i < each ? i : half + i - each));
  const range = rangeOver(sru, scale);
  const shown = which.length < maps ? `shown: ${each} from each half of ${maps} maps` : `${maps} maps`;
  const open = unit?.rich && unit.rich.reduce((a, b) => a + b, 0) / unit.rich.length;
  return {
    stations: await Promise.all(
      stations.map(async ([key, label]) => ({
        label,
        grid: await plainGrid(sru[key], { columns: COLUMNS, which, range }),
      })),
    ),
    caption: `${open === undefined ? "" : `gate open on ${percent(open)} of all images' pixels · `}${shown}, ${height}×${width}`,
    note:
      scale === "map"
        ? "First image. Each map has one grey scale in all four, from its least value to its largest."
        : `First image. Black ${range(0)[0].toPrecision(3)}, white ${range(0)[1].toPrecision(3)} everywhere.`,
  };
}

/** The same as one picture. */
export async function sruPanel(
  layer: LayerFeatures,
  sru: SruMaps,
  { scale, title = layer.name }: { scale: Scale; title?: string },
): Promise<Panel> {
  const { stations: parts, caption, note } = await sruStations(layer, sru, scale);
  const top = 72;
  const head = 22;
  const { grid: first } = parts[0]!;
  const step = { x: Math.max(first.width, 260) + 24, y: head + first.height + 14 };
  const panels = parts.map(
    (
      { label, grid },
      i,
    ) => html`<g transform="translate(${MARGIN + (i % 2) * step.x} ${top + Math.floor(i / 2) * step.y})">
<text x="0" y="12" font-size="13" font-weight="700" fill="${ink.text}">${label}</text>
<g transform="translate(0 ${head})">${grid.content}</g></g>`,
  );
  const total = { width: 2 * MARGIN + 2 * step.x - 24, height: top + 2 * step.y };
  const content = html`<text x="${MARGIN}" y="28" font-size="16" font-weight="700" fill="${ink.text}">${clip(`SRU of ${title}`, Math.floor(total.width / 10))}</text>
<text x="${MARGIN}" y="48" font-size="12" fill="${ink.soft}">${caption}</text>
${panels}
<text x="${MARGIN}" y="${total.height}" font-size="12" fill="${ink.text}">${note}</text>`;
  return { width: total.width, height: total.height + 14, content };
}

/** Of a map in all four, or of all maps. What is 0 but for rounding is one grey. */
function rangeOver(sru: SruMaps, scale: Scale): (map: number) => Range {
  const ranges = stations.map(([key]) => rangeBy(scale, sru[key] as Maps));
  const nothing = DEAD * Math.max(...rangeOf(sru.input.values, 0, sru.input.values.length).map(Math.abs));
  return (map) => {
    const all = ranges.map((range) => range(map));
    const [low, high] = [Math.min(...all.map((r) => r[0])), Math.max(...all.map((r) => r[1]))];
    return high - low > nothing ? [low, high] : [low, low];
  };
}
