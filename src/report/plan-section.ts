import { formatMs } from "../base/format.js";
import type { PlanReport } from "../surgery/report.js";
import { type Html, html } from "./html.js";

/** Layers of small networks take hundredths of a millisecond, and what they save is less. */
const fine = (ms: number): string => (ms < 1 ? `${ms.toFixed(3)} ms` : formatMs(ms));

/** What each form of the unit saves in each layer, and what was chosen. */
export function planSection(plan: PlanReport): Html {
  const { layers, forms, totalMs, predicted, measured, batch, trials = [] } = plan;
  type Layer = PlanReport["layers"][number];
  const label = ({ alpha, scope }: PlanReport["forms"][number]) => `α ${alpha}, ${scope}`;
  const cell = (l: Layer, i: number) => {
    const form = l.forms[i];
    if (!form) return html`<td class="num" data-label="${label(forms[i]!)}">does not fit</td>`;
    const { saving, uncertainty, error } = form;
    const sign = saving > 0 ? "−" : "+";
    return html`<td class="num${l.chosen === i ? " chosen" : ""}" data-label="${label(forms[i]!)}">${l.chosen === i ? html`<b title="chosen">✓</b> ` : undefined}${sign}${fine(Math.abs(saving))}<br><small>±${fine(uncertainty)}</small>${error === undefined ? undefined : html`<br><small>error ${error.toFixed(2)}</small>`}</td>`;
  };
  const row = (l: Layer) =>
    html`<tr><td class="name">${l.name}${l.chosen === undefined ? html`<br><small>kept</small>` : undefined}</td><td class="num" data-label="now">${fine(l.ms)}</td>${forms.map((_, i) => cell(l, i))}</tr>`;
  const points = (lost: number) => `${lost > 0 ? "−" : "+"}${Math.abs(lost).toFixed(2)}`;
  const trial = (t: NonNullable<PlanReport["trials"]>[number]) =>
    html`<li>${t.swapped} ${t.swapped === 1 ? "layer" : "layers"}, ${(1 - t.saving / totalMs).toFixed(3)} of the time: ${points(t.lost)} points of top-1</li>`;
  const tried =
    trials.length > 0
      ? html`<p>Tried with a short training each, for the accuracy that may be lost:</p><ol>${trials.map(trial)}</ol>`
      : undefined;
  const swapped = layers.filter((l) => l.chosen !== undefined).length;
  const errors = layers.some((l) => l.forms.some((f) => f?.error !== undefined));
  return html`<h2>Why these layers</h2>
<div class="panel"><p>Timed on this machine, batch ${batch}: each convolution with its surroundings as they are, and what each form of the unit saves there. ${swapped} of ${layers.length} got a unit. The network took ${formatMs(totalMs)}; it was predicted to take ${predicted.toFixed(3)} of that, and ${measured.toFixed(3)} was measured before any training.</p>
<table class="folds stacked"><thead><tr><th>layer</th><th class="num">now</th>${forms.map((f) => html`<th class="num">${label(f)}</th>`)}</tr></thead><tbody>${layers.map(row)}</tbody></table>
<p>− is time saved, + time lost, ± half the interval in which it lies, ✓ what was chosen.${errors ? " Error: what a short calibration leaves, relative to the convolution’s output." : ""}</p>${tried}</div>`;
}
