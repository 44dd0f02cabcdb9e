import { formatBytes, formatChange, formatCount } from "../base/format.js";
import type { ComparedLayer } from "../surgery/compare-layers.js";
import type { Pair } from "../surgery/report.js";
import { comparedCells } from "./compared-cells.js";
import { type Html, html } from "./html.js";
import { pageOf } from "./shell.js";
import { type ExaminedTimes, timesSection } from "./times-section.js";

/** The same layer of both on one image. */
export interface ComparedLook {
  /** The image's name. */
  readonly image: string;
  /** As `--normalize` takes it. */
  readonly normalize: string;
  /** How far the scores of both agree, where both have any. */
  readonly agreement?: string | undefined;
  readonly sides: readonly [ComparedMaps, ComparedMaps];
}

export interface ComparedMaps {
  readonly layer: string;
  /** What was found of its maps. */
  readonly caption: string;
  /** All maps, as a `data:` URL. */
  readonly picture: string;
}

export interface ComparedReport {
  readonly names: readonly [first: string, second: string];
  readonly bytes: Pair;
  readonly parameters: Pair;
  /** Undefined where a size stays open. */
  readonly macs: Pair | undefined;
  readonly layers: readonly ComparedLayer[];
  /** What a reader should know of the second. */
  readonly note?: string | undefined;
  readonly look?: ComparedLook | undefined;
  readonly times: readonly ExaminedTimes[];
  readonly version: string;
}

/** Two networks side by side, as one page that needs nothing from anywhere else. */
export function comparedPage({
  names,
  bytes,
  parameters,
  macs,
  layers,
  note,
  look,
  times,
  version,
}: ComparedReport): string {
  const others = layers.filter((l) => l.kind !== "same");
  const body = html`<header>
<p>scconv studio</p>
<h1>${names[0]} and ${names[1]}</h1>
<ul class="verdict">
<li class="plain">First: ${names[0]}. Second: ${names[1]}.</li>
<li class="plain">${others.length} of ${layers.length} layers differ.</li>
${note && html`<li class="plain">${note}</li>`}
</ul>
</header>
<section class="cards" aria-label="Totals">${total("Parameters", parameters, formatCount)}${macs && total("Multiply-adds", macs, formatCount)}${total("File", bytes, formatBytes)}</section>
<h2>Layers that differ</h2>
<div class="panel">${others.length > 0 ? layerTable(others) : html`<p>Both have the same layers, with the same weights.</p>`}</div>
${look && lookSection(look)}
${timesSection(times)}
<footer>Made by scconv ${version}. Made in a browser; nothing was sent anywhere.</footer>`;
  return pageOf({ title: `${names[0]} and ${names[1]}`, body, style });
}

const total = (what: string, [first, second]: Pair, format: (n: number) => string): Html =>
  html`<div class="card"><h3>${what}</h3><div class="after">${format(second)}</div><div class="before">from ${format(first)}</div><div class="change ${second <= first ? "good" : "bad"}">${formatChange(first, second)}</div></div>`;

function layerTable(layers: readonly ComparedLayer[]): Html {
  const row = (layer: ComparedLayer) => {
    const { second, op, makes, parameters, macs, moved } = comparedCells(layer);
    return html`<tr><td class="name">${layer.name}<br><small>${op} · ${makes}</small></td>
<td data-label="second" class="wide">${second}</td><td class="num" data-label="parameters">${parameters ?? "–"}</td>
<td class="num" data-label="multiply-adds">${macs ?? "–"}</td><td class="num" data-label="weights moved">${moved ?? "–"}</td></tr>`;
  };
  return html`<table class="folds"><thead><tr><th>layer</th><th>second</th><th class="num">parameters</th><th class="num">multiply-adds</th><th class="num">weights moved</th></tr></thead>
<tbody>${layers.map(row)}</tbody></table>
<p>Weights moved: ‖w₂ − w₁‖ ÷ ‖w₁‖, over weights of the same shape in both.</p>`;
}

function lookSection({ image, normalize, agreement, sides }: ComparedLook): Html {
  const side = ({ layer, caption, picture }: ComparedMaps, i: number) =>
    html`<figure><figcaption><b>${i === 0 ? "first" : "second"}</b>${layer}<br>${caption}</figcaption>
<img src="${picture}" alt="Feature maps of ${layer}"></figure>`;
  return html`<h2>On an image</h2>
<div class="panel"><p>${image}, normalised: ${normalize}.${agreement && ` ${agreement}.`}</p><div class="both">${sides.map(side)}</div></div>`;
}

const style = `
.both { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 1.6rem; margin-top: 1rem; }
figure { margin: 0; min-width: 0; } figure img { max-width: 100%; height: auto; border-radius: 4px; }
figcaption { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.5rem; overflow-wrap: anywhere; } figcaption b { color: var(--ink); margin-right: 0.4rem; }
`;
