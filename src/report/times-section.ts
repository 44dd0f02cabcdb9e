import { formatMs } from "../base/format.js";
import { type Html, html } from "./html.js";

/** One engine's times of models that took turns on it. */
export interface ExaminedTimes {
  readonly title: string;
  readonly note: string;
  readonly models: readonly {
    readonly name: string;
    readonly medianMs: number;
    readonly p10Ms: number;
    readonly p90Ms: number;
    readonly openMs: number;
    readonly firstMs: number;
    /** To the first. */
    readonly ratio: number;
  }[];
}

/** Nothing where nothing was timed. */
export function timesSection(times: readonly ExaminedTimes[]): Html[] {
  if (times.length === 0) return [];
  const cell = (label: string, value: string) => html`<td class="num" data-label="${label}">${value}</td>`;
  const row = ({ name, medianMs, p10Ms, p90Ms, openMs, firstMs, ratio }: ExaminedTimes["models"][number]) =>
    html`<tr><td class="name">${name}</td>${cell("median", formatMs(medianMs))}${cell("10 to 90 %", `${formatMs(p10Ms)} – ${formatMs(p90Ms)}`)}${cell("to the first", ratio.toFixed(2))}${cell("cold: opening", formatMs(openMs))}${cell("cold: first inference", formatMs(firstMs))}</tr>`;
  return [
    html`<h2>Latency</h2>
${times.map(
  (
    { title, note, models },
    i,
  ) => html`<div class="panel"${i > 0 ? html` style="margin-top:.8rem"` : undefined}><table class="folds"><caption>${title}</caption>
<thead><tr><th>model</th><th class="num">median</th><th class="num">10 to 90 %</th><th class="num">to the first</th><th class="num">cold: opening</th><th class="num">cold: first inference</th></tr></thead>
<tbody>${models.map(row)}</tbody></table><p>${note}</p></div>`,
)}`,
  ];
}
