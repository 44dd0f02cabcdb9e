import { formatShape } from "../base/dims.js";
import { formatBytes, formatCount, formatDim, formatMs, formatShare } from "../base/format.js";
import { type Html, html } from "./html.js";
import { type Inspected, type InspectedLayer, shownLayers } from "./inspected.js";
import { pageOf } from "./shell.js";

interface InspectedPageOptions {
  readonly file: string;
  readonly command: string;
  readonly version: string;
  readonly maker?: string;
  readonly commandTitle?: string;
  /** Behind the layers. */
  readonly sections?: readonly Html[];
  readonly foot?: string;
}

/** The network as one page that needs nothing from anywhere else: a row for each layer, bars for what it costs. */
export function inspectedPage(
  inspected: Inspected,
  {
    file,
    command,
    version,
    maker = "scconv inspect",
    commandTitle = "How it was made",
    sections = [],
    foot = "The same figures are in the command’s --json.",
  }: InspectedPageOptions,
): string {
  const { layers, uncounted } = inspected;
  const name = file.split(/[\\/]/).pop()!;
  const convolutions = layers.filter((l) => l.op === "Conv");
  const swappable = convolutions.filter((l) => l.swappable).length;
  const body = html`<header>
<p>${maker}</p>
<h1>${name}</h1>
<ul class="verdict">
<li class="${swappable > 0 ? "good" : "plain"}">${swappable} of ${convolutions.length} convolutions can be swapped for SCConv.</li>
${reasons(convolutions).map(([reason, n]) => html`<li class="plain">${n} × kept: ${reason}</li>`)}
${uncounted.map((u) => html`<li class="bad">Not counted: ${u.op} × ${u.count} (${u.why})</li>`)}
</ul>
</header>
${cards(inspected)}
<h2>Layers</h2>
<div class="panel">${layerTable(inspected)}${legend(inspected)}</div>
${sections}
<h2>${commandTitle}</h2>
<div class="panel"><pre>${command}</pre></div>
<footer>Made by scconv ${version}. ${foot}</footer>`;
  return pageOf({ title: `${name}, layers`, body, style });
}

function reasons(convolutions: readonly InspectedLayer[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const { swappable, reason = "no reason is known" } of convolutions)
    if (!swappable) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

function cards({ parameters, macs, bytes, opset, timing, layers, images }: Inspected): Html {
  const card = (title: string, value: string, note = "") =>
    html`<div class="card"><h3>${title}</h3><div class="after">${value}</div><div class="before">${note}</div></div>`;
  const measured = layers.flatMap((l) => (l.redundancy ? [l.redundancy.redundancy] : []));
  const mean = measured.reduce((a, b) => a + b, 0) / measured.length;
  return html`<section class="cards" aria-label="The whole network">
${card("Parameters", formatCount(parameters))}
${card("Multiply-adds", formatDim(macs, formatCount), "of one image")}
${card("File", formatBytes(bytes), `operator set ${opset}`)}
${timing && card("Time", formatMs(timing.ms), `of one image, ${timing.threads} thread${timing.threads > 1 ? "s" : ""}`)}
${measured.length > 0 ? card("Redundancy", formatShare(mean), `mean of ${measured.length} layers, ${images} image${images === 1 ? "" : "s"}`) : undefined}
</section>`;
}

function layerTable({ layers, timing, images }: Inspected): Html {
  const shown = shownLayers(layers);
  const number = (n: InspectedLayer["macs"]) => (typeof n === "number" ? n : 0);
  const most = {
    parameters: Math.max(1, ...shown.map((l) => l.parameters)),
    macs: Math.max(1, ...shown.map((l) => number(l.macs))),
    ms: Math.max(1e-9, ...shown.map((l) => l.ms ?? 0)),
  };
  const bar = (label: string, text: string, share: number, kind = "") =>
    html`<td class="num bar" data-label="${label}"><span>${text}</span><div class="track ${kind}"><i style="width:${(100 * share).toFixed(1)}%"></i></div></td>`;
  const row = (l: InspectedLayer) =>
    html`<tr><td class="name">${l.name}<br><small>${l.op} · ${formatShape(l.inputShape)} → ${formatShape(l.outputShape)}</small></td>
${bar("parameters", l.parameters ? formatCount(l.parameters) : "–", l.parameters / most.parameters)}
${bar("multiply-adds", formatDim(l.macs, formatCount), number(l.macs) / most.macs)}
${timing && (l.ms === undefined ? html`<td class="num bar" data-label="time">–</td>` : bar("time", formatMs(l.ms), l.ms / most.ms))}
${images === undefined ? undefined : l.redundancy ? bar("redundancy", formatShare(l.redundancy.redundancy), l.redundancy.redundancy, "warm") : html`<td class="num bar" data-label="redundancy">–</td>`}
<td class="may wide" data-label="SCConv">${l.op !== "Conv" ? "" : l.swappable ? html`<b>yes</b>` : html`<small>${l.reason ?? "no"}</small>`}</td></tr>`;
  return html`<table class="folds"><thead><tr><th>layer</th><th class="num">parameters</th><th class="num">multiply-adds</th>${timing && html`<th class="num">time</th>`}${images === undefined ? undefined : html`<th class="num">redundancy</th>`}<th>SCConv fits</th></tr></thead>
<tbody>${shown.map(row)}</tbody></table>`;
}

function legend({ layers, timing, images }: Inspected): Html {
  const hidden = layers.filter((l) => !shownLayers(layers).includes(l));
  const rest = hidden.reduce((sum, l) => sum + (l.ms ?? 0), 0);
  const times =
    timing &&
    html`<p>Time: median of ${timing.runs} inferences of one image by the engine’s own profile (${timing.runtime}), ${timing.threads} thread${timing.threads > 1 ? "s" : ""}; an activation or addition that the engine fused into a convolution is counted there. Nodes that are not listed take ${formatMs(rest)}, changes of layout by the engine ${formatMs(timing.engineMs)}.</p>`;
  const redundancy =
    images !== undefined &&
    html`<p>Redundancy: 1 − effective rank ÷ maps, of what the next layer gets, over ${images} image${images === 1 ? "" : "s"} (docs/features.md).</p>`;
  return html`<p>Bars are shares of the largest layer; those of the redundancy are shares of 1. ${hidden.length} nodes without weights and multiply-adds are not listed.</p>${times}${redundancy || undefined}`;
}

const style = `
td.bar { min-width: 6.2rem; } td.bar .track { height: 6px; border-radius: 3px; margin-top: 3px; }
td.bar .track i { top: 0; bottom: 0; left: 0; background: var(--after); min-width: 1px; }
td.bar .track.warm { background: var(--warmwash); } td.bar .track.warm i { background: var(--warm); }
:root { --warm: #a8662a; --warmwash: #a8662a1a; }
@media (prefers-color-scheme: dark) { :root { --warm: #dba36a; --warmwash: #dba36a26; } }
td.may { min-width: 7rem; } td.may b { color: var(--good); }
`;
