import sharp from "sharp";
import type { Normalize } from "../../data/data-set.js";
import type { LayerFeatures } from "../../features/observe.js";
import { type Html, html } from "../../report/html.js";
import { type MapGridOptions, mapGrid, type Panel, pairNotes } from "../features/map-grid.js";
import { captionOf } from "../features/panels.js";
import { sruStations } from "../features/sru-panel.js";
import { sharedRange } from "../features/tiles.js";
import type { Comparison, LayerPair } from "./compare-layers.js";

/** So many maps of a layer at most, and these few layers, so that the page stays small. */
const MOST = 64;
const COLUMNS = 8;
/** Of all values, at each end of the greys. */
const CUT = 0.005;

/** How the image that was fed is turned back into what it was. */
export interface Fed {
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly normalize: Normalize;
}

/** Maps of one image: a few layers of the original beside the slimmed network, as in the paper's Figure 5, and an SRU at work. */
export async function mapPictures({ shown, sru, image }: Comparison, fed: Fed): Promise<Html> {
  const grids: Html[] = [];
  for (const pair of shown) grids.push(await pairOf(pair));
  return html`<h2>Feature maps of one image</h2>
<div class="panel">
<div class="fed"><img alt="the image that was fed" width="${fed.width}" height="${fed.height}" src="${await pictureOf(image, fed)}"><p>Maps of this image, the first of those that were measured, in ${shown.length === 1 ? "the swapped layer" : `the ${["", "", "first and the last", "first, the middle and the last"][shown.length]!} of the swapped layers`}: the original’s, and those of the unit that took its place. Maps of one number need not mean the same in both. Crossed out: dead on all images. Framed, with one letter: the most alike pairs, by all images.</p></div>
${grids}
</div>
${sru && (await sruOf(sru))}`;
}

async function pairOf({ name, before, after }: LayerPair): Promise<Html> {
  const which = mapsOf(before, after);
  const [low, high] = sharedRange([before.first, after.first], CUT);
  const options: MapGridOptions = { columns: COLUMNS, which, range: () => [low, high] };
  const part =
    which.length < before.first.maps
      ? ` ${which.length} of ${before.first.maps} maps: those of the marked pairs, and the first of the others.`
      : "";
  const figure = async (title: string, layer: LayerFeatures) => {
    const pairs = pairNotes(layer.redundancy);
    const alt = `${which.length} feature maps of ${name}, ${title}: ${captionOf(layer)}`;
    const caption = `${[layer.op, ...layer.through].join(" → ")} · ${captionOf(layer)}`;
    return html`<figure><figcaption><b>${title}</b> ${caption}<br>${
      pairs.length > 0 ? `Most alike: ${pairs.join(" · ")}` : "No two maps are alike (cosine from 0.9)."
    }</figcaption>
${svgOf(await mapGrid(layer, options), alt)}</figure>`;
  };
  const { height, width } = before.first;
  return html`<h3>${name}</h3>
<div class="figures">${await figure("before", before)}
${await figure("after", after)}</div>
<p>${height}×${width}; one scale for both: black ${short(low)} and below, white ${short(high)} and above.${part}</p>`;
}

const short = (n: number): string => n.toPrecision(3).replace("-", "−");

/** The same maps of both: all, or those that are marked in either and the first of the others. */
function mapsOf(before: LayerFeatures, after: LayerFeatures): number[] {
  const count = Math.min(before.first.maps, after.first.maps);
  const marked = [before, after].flatMap((l) => l.redundancy.mostAlike.flatMap((p) => p.maps));
  const order = new Set([...marked.filter((m) => m < count), ...Array.from({ length: count }, (_, m) => m)]);
  return [...order].slice(0, MOST).sort((a, b) => a - b);
}

async function sruOf(sru: NonNullable<Comparison["sru"]>): Promise<Html> {
  const title = html`<h2>Inside an SRU</h2>`;
  if ("missing" in sru)
    return html`${title}<div class="panel"><p>There is no picture of it: ${sru.missing}.</p></div>`;
  const { stations, caption, note } = await sruStations(sru.after, sru.maps, "map");
  const figures = stations.map(
    ({ label, grid }) =>
      html`<figure><figcaption><b>${label}</b></figcaption>${svgOf(grid, `feature maps of the SRU in ${sru.name}, ${label}`)}</figure>`,
  );
  return html`${title}
<div class="panel"><p>The unit in the place of <code>${sru.name}</code>, whose gate is the least one-sided of those above, and the same image; ${caption}. ${note} The gate W1 keeps what is held to be rich in information, W2 the rest; the halves are then added crosswise (the paper’s equations 2 to 6).</p>
<div class="figures">${figures}</div></div>`;
}

/** Text and edges take the page's colours, from its style. */
const svgOf = ({ width, height, content }: Panel, alt: string): Html =>
  html`<svg class="maps" viewBox="0 -2 ${width} ${height + 2}" role="img" aria-label="${alt}">${content}</svg>`;

const LARGEST = 160;

async function pictureOf(image: Float32Array, { channels, height, width, normalize }: Fed): Promise<string> {
  const plane = height * width;
  const { mean, std } = normalize;
  const of = (list: readonly number[], c: number) => list[list.length === 1 ? 0 : c]!;
  const pixels = Uint8ClampedArray.from({ length: plane * channels }, (_, k) => {
    const c = k % channels;
    return 255 * (image[c * plane + Math.floor(k / channels)]! * of(std, c) + of(mean, c));
  });
  const png = await sharp(pixels, { raw: { width, height, channels } })
    .resize({ width: LARGEST, height: LARGEST, fit: "inside", withoutEnlargement: true })
    .png()
    .toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}
