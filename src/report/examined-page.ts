import { formatChange, formatCount } from "../base/format.js";
import type { LayerRow, Pair } from "../surgery/report.js";
import { type Html, html } from "./html.js";
import type { Inspected } from "./inspected.js";
import { inspectedPage } from "./inspected-page.js";
import { type ExaminedTimes, timesSection } from "./times-section.js";

/** What a swap would change; units have fresh weights, so nothing is said of accuracy. */
export interface ExaminedSwap {
  readonly rows: readonly LayerRow[];
  readonly parameters: Pair;
  /** Undefined where a size stays open. */
  readonly macs: Pair | undefined;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

export interface Examined {
  readonly inspected: Inspected;
  readonly file: string;
  readonly version: string;
  readonly swap?: ExaminedSwap | undefined;
  readonly times: readonly ExaminedTimes[];
}

/** What was found out about a network without training it, as one page that needs nothing from anywhere else. */
export function examinedPage({ inspected, file, version, swap, times }: Examined): string {
  const swapped = swap?.rows.some((r) => r.to !== undefined) ? swap : undefined;
  // The line is to be copied into a shell: a name that would not go through one is not in it.
  const named = /^[\w.]+[\w.-]*$/.test(file) ? file : "MODEL.onnx";
  const plan = `${named.replace(/\.onnx$/i, "")}-plan.json`;
  return inspectedPage(inspected, {
    ...{ file, version },
    maker: "scconv studio",
    command: swapped
      ? `scconv slim ${named} --plan ${plan} --data DATA -o slim.onnx`
      : `scconv inspect ${named} --html layers.html`,
    commandTitle: swapped ? "The same by the command line, trained" : "The same by the command line",
    sections: [...(swapped ? [swapSection(swapped)] : []), ...timesSection(times)],
    foot: "Made in a browser; nothing was sent anywhere.",
  });
}

function swapSection({ rows, parameters, macs, settings }: ExaminedSwap): Html {
  const swapped = rows.filter((r) => r.to !== undefined);
  const pair = ([before, after]: Pair) => `${formatCount(before)} → ${formatCount(after)}`;
  const total = (what: string, both: Pair) =>
    html`<div class="card"><h3>${what}</h3><div class="after">${formatCount(both[1])}</div><div class="before">from ${formatCount(both[0])}</div><div class="change ${both[1] <= both[0] ? "good" : "bad"}">${formatChange(...both)}</div></div>`;
  const facts = Object.entries(settings).map(([k, v]) => `${k} ${v}`);
  return html`<h2>What if</h2>
<section class="cards" aria-label="With the swap">${total("Parameters", parameters)}${macs && total("Multiply-adds", macs)}
<div class="card"><h3>Swapped</h3><div class="after">${swapped.length}</div><div class="before">of ${rows.length} convolutions</div></div></section>
<div class="panel" style="margin-top:.8rem"><table><thead><tr><th>layer</th><th>swapped</th><th class="num">parameters</th><th class="num">multiply-adds</th></tr></thead>
<tbody>${swapped.map((r) => html`<tr><td class="name">${r.name}</td><td class="swap">${r.from} → ${r.to}${r.reason && html`<br><small>${r.reason}</small>`}</td><td class="num">${pair(r.parameters)}</td><td class="num">${pair(r.macs)}</td></tr>`)}</tbody></table>
<p>Settings of the unit: ${facts.join(" · ")}. The swap was counted, not trained: what it does to accuracy is not known here.</p></div>`;
}
