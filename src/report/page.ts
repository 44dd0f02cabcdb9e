import { formatBytes, formatChange, formatCount, formatMs, formatSeconds } from "../base/format.js";
import { type Latency, type LayerRow, type Pair, type SlimReport, wilson } from "../surgery/report.js";
import { lineChart } from "./chart.js";
import { type Html, html } from "./html.js";
import { insideStyle } from "./inside-style.js";
import { planSection } from "./plan-section.js";
import { redundancySection } from "./redundancy-section.js";
import { pageOf } from "./shell.js";
import { verdict } from "./verdict.js";

/**
 * The report as one page that needs nothing from anywhere else; `pictures` of feature maps are not in the report itself. `data`:
 * whether `report.json` lies beside it.
 */
export function reportPage(
  report: SlimReport,
  { pictures, data = true }: { pictures?: Html | undefined; data?: boolean } = {},
): string {
  const { input, output, started, seconds } = report;
  const name = input.split(/[\\/]/).pop()!;
  const body = html`<header>
<p>scconv slim · ${date(started)} · ${formatSeconds(seconds)}</p>
<h1>${name} → ${output.split(/[\\/]/).pop()!}</h1>
<ul class="verdict">${verdict(report).map(({ tone, text }) => html`<li class="${tone}">${text}</li>`)}</ul>
</header>
${cards(report)}
${curve(report)}
${latencyPanel(report)}
${layers(report)}
${report.plan && planSection(report.plan)}
${report.redundancy && redundancySection(report.redundancy, report.seed)}
${pictures}
${making(report)}
<footer>Made by scconv ${report.software.scconv}.${data ? " The same figures, unrounded, are in report.json beside this page." : ""}</footer>`;
  return pageOf({ title: `${name}, slimmed`, body, style: insideStyle });
}

const date = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

function cards({ parameters, macs, bytes, top1, latency, data }: SlimReport): Html {
  const interval = (p: number) => {
    const [low, high] = wilson(p, data.testImages);
    return `95 %: ${low.toFixed(1)} – ${high.toFixed(1)}`;
  };
  const points = top1[1] - top1[0];
  const sign = points < 0 ? "−" : "+";
  return html`<section class="cards" aria-label="Before and after">
${sizeCard("Parameters", parameters, formatCount)}
${sizeCard("Multiply-adds", macs, formatCount)}
${sizeCard("File", bytes, formatBytes)}
${card({
  title: "Top-1",
  pair: top1,
  format: (v) => `${v.toFixed(2)} %`,
  change: `${sign}${Math.abs(points).toFixed(2)} points`,
  good: points >= 0,
  same: Math.abs(points) < 0.005,
  note: interval(top1[1]),
})}
${
  latency &&
  card({
    title: `Latency, batch ${latency.batch}`,
    pair: [latency.models[0].medianMs, latency.models[1].medianMs],
    format: formatMs,
    change: `×${latency.ratio.toFixed(2)} of the time`,
    good: latency.ratio <= 1,
    same: Math.abs(latency.ratio - 1) < 0.03,
  })
}
</section>`;
}

const sizeCard = (title: string, pair: Pair, format: (n: number) => string): Html =>
  card({
    ...{ title, pair, format, change: formatChange(...pair) },
    good: pair[1] <= pair[0],
    same: Math.abs(pair[1] / pair[0] - 1) < 0.0005,
  });

interface Card {
  readonly title: string;
  readonly pair: Pair;
  readonly format: (n: number) => string;
  readonly change: string;
  readonly good: boolean;
  readonly same: boolean;
  readonly note?: string;
}

function card({ title, pair: [before, after], format, change, good, same, note }: Card): Html {
  const most = Math.max(before, after) || 1;
  const width = (v: number) => ((100 * v) / most).toFixed(1);
  return html`<div class="card"><h3>${title}</h3>
<div class="after">${format(after)}</div>
<div class="before">from ${format(before)}</div>
<div class="bars" aria-hidden="true"><i style="width:${width(before)}%"></i><i style="width:${width(after)}%"></i></div>
<div class="change ${same ? "plain" : good ? "good" : "bad"}">${change}</div>${note && html`<div class="before">${note}</div>`}</div>`;
}

function curve({ epochs, calibratedTop1, top1, data, written }: SlimReport): Html | undefined {
  const start = calibratedTop1 === undefined ? [] : [{ x: 0, y: calibratedTop1 }];
  const points = [...start, ...epochs.map((e) => ({ x: e.epoch, y: e.top1 }))];
  if (points.length === 0) return undefined;
  const [low, high] = wilson(top1[0], data.testImages);
  const chart = lineChart(points, {
    title: "Top-1 accuracy by epoch of fine-tuning",
    xLabel: "epoch",
    yLabel: "top-1, %",
    reference: { y: top1[0], low, high, label: `the original, ${top1[0].toFixed(2)} %` },
  });
  const zero =
    calibratedTop1 === undefined ? "" : "Epoch 0 is the network after calibration, before any fine-tuning. ";
  return html`<h2>Winning the accuracy back</h2>
<div class="panel">${chart}<p>${zero}${written ?? "The network of the best epoch is the one that was written."} Evaluation split of ${data.testImages} images; the band is the original’s 95 % interval.</p></div>`;
}

function latencyPanel({ latency, software, machine }: SlimReport): Html | undefined {
  if (!latency) return undefined;
  const { rewritten } = latency;
  const all = [...latency.models, ...(rewritten ? [rewritten] : [])];
  const most = Math.max(...all.map((m) => m.p90Ms)) * 1.02;
  const row = (name: string, m: Latency, kind: string) => {
    const at = (v: number) => ((100 * v) / most).toFixed(1);
    return html`<div><span>${name}</span><span class="track ${kind}"><i style="left:${at(m.p10Ms)}%;width:${at(m.p90Ms - m.p10Ms)}%"></i><b style="left:${at(m.medianMs)}%"></b></span><span class="num">${formatMs(m.medianMs)} <small>(${formatMs(m.p10Ms)} – ${formatMs(m.p90Ms)})</small></span></div>`;
  };
  const { threads, batch, provider, runs } = latency;
  const memory = latency.models.map((m) => `${Math.round(m.peakRssMb)} MB`).join(" → ");
  return html`<h2>Latency</h2>
<div class="panel"><div class="spread">${row("before", latency.models[0], "")}${rewritten && row("rewritten", rewritten, "")}${row("after", latency.models[1], "new")}</div>
<p>The mark is the median, the bar the middle 80 % of ${runs} inferences each. They ran in turn, each in its own process, so that a slow spell of the machine fell on all; the ratio ${latency.ratio.toFixed(3)} is the median over the rounds. ${rewritten ? `“Rewritten” is the original with the rewrites that the new model has, too, and nothing swapped (${rewritten.ratio.toFixed(3)} of its time). ` : ""} Batch ${batch}, ${threads} thread${threads > 1 ? "s" : ""}, ${software.runtime} (${provider}), ${machine ? `${machine.cpu}${machine.instructions.length ? ` (${machine.instructions.join(", ")})` : ""}` : software.host}. Peak memory of the process: ${memory}.</p></div>`;
}

function layers({ layers: rows }: SlimReport): Html {
  const swapped = rows.filter((r) => r.to !== undefined);
  const kept = rows.filter((r) => r.to === undefined);
  const errors = swapped.some((r) => r.error);
  const pair = ([before, after]: Pair) => `${formatCount(before)} → ${formatCount(after)}`;
  const row = (r: LayerRow) =>
    html`<tr><td class="name">${r.name}</td><td class="swap">${r.from} → ${r.to}${r.reason && html`<br><small>${r.reason}</small>`}</td><td class="num">${pair(r.parameters)}</td><td class="num">${pair(r.macs)}</td>${errors ? html`<td class="num">${r.error ? r.error.map((e) => e.toFixed(3)).join(" → ") : "–"}</td>` : undefined}</tr>`;
  const table = html`<table><thead><tr><th>layer</th><th>swapped</th><th class="num">parameters</th><th class="num">multiply-adds</th>${errors ? html`<th class="num">calibration error</th>` : undefined}</tr></thead><tbody>${swapped.map(row)}</tbody></table>`;
  const legend = errors
    ? html`<p>Parameters are what is learned, multiply-adds what the written file executes. Calibration error: how far the new unit’s output is from that of the convolution it replaces, relative to the latter, before → after calibration.</p>`
    : undefined;
  const rest =
    kept.length > 0
      ? html`<details><summary>${kept.length} convolution${kept.length > 1 ? "s" : ""} kept</summary><div class="panel"><table><thead><tr><th>layer</th><th>operator</th><th>why</th><th class="num">parameters</th></tr></thead><tbody>${kept.map((r) => html`<tr><td class="name">${r.name}</td><td>${r.from}</td><td>${r.reason ?? ""}</td><td class="num">${formatCount(r.parameters[0])}</td></tr>`)}</tbody></table></div></details>`
      : undefined;
  return html`<h2>Layers</h2>
<div class="panel">${table}${legend}</div>${rest}`;
}

function making(report: SlimReport): Html {
  const { machine, software, data, settings } = report;
  const settingsText = Object.entries(settings)
    .map(([k, v]) => `${k} ${v}`)
    .join(" · ");
  const facts: readonly (readonly [string, string])[] = [
    ["input", report.input],
    ["output", report.output],
    [
      "data",
      `${data.source}: ${data.trainImages} images to train on, ${data.testImages} to evaluate, ${data.classes} classes, normalised by ${data.normalize}`,
    ],
    ["settings", settingsText],
    ["seed", `${report.seed}`],
    ...(machine
      ? ([
          [
            "machine",
            `${machine.cpu}, ${machine.cores} cores, ${formatBytes(machine.memoryBytes)} of memory, ${machine.os}`,
          ],
        ] as const)
      : []),
    [
      "software",
      `scconv ${software.scconv}, ${software.runtime}, ${software.host ?? `Node ${software.node}`}`,
    ],
    ["time", `${date(report.started)}, ${formatSeconds(report.seconds)}`],
  ];
  return html`<h2>How it was made</h2>
<div class="panel"><pre>${report.command}</pre></div>
<div class="panel" style="margin-top:.8rem"><dl>${facts.map(([k, v]) => html`<dt>${k}</dt><dd>${v}</dd>`)}</dl></div>`;
}
