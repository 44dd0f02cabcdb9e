import { type Html, html } from "./html.js";

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** A level to compare with, and its interval. */
  readonly reference: {
    readonly y: number;
    readonly low: number;
    readonly high: number;
    readonly label: string;
  };
}

/** In the drawing's own units. */
const size = { width: 640, height: 320 };
const margin = { top: 30, right: 22, bottom: 52, left: 60 };

/** One line over whole numbers (epochs), as SVG; colours come from the page's style. */
export function lineChart(points: readonly ChartPoint[], options: ChartOptions): Html {
  const { title, xLabel, yLabel, reference } = options;
  const ys = [...points.map((p) => p.y), reference.low, reference.high];
  const yTicks = ticks(Math.min(...ys), Math.max(...ys), 5);
  const xs = points.map((p) => p.x);
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const xTicks = ticks(first, Math.max(last, first + 1), 8).filter(
    (t) => Number.isInteger(t) && t >= first && t <= last,
  );
  const [low, high] = [yTicks[0]!, yTicks[yTicks.length - 1]!];
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const x = (v: number) =>
    round(margin.left + ((v - first) / Math.max(1, last - first)) * (right - margin.left));
  const y = (v: number) => round(bottom - ((v - low) / (high - low)) * (bottom - margin.top));
  const path = points.map((p, i) => `${i === 0 ? "M" : "L"}${x(p.x)} ${y(p.y)}`).join(" ");
  const best = points.reduce((a, b) => (b.y > a.y ? b : a));
  const anchor = best.x === last ? "end" : best.x === first ? "start" : "middle";
  // Above its dot where there is room, which there is unless the dot is at the very top.
  const lift = y(best.y) - margin.top > 26 ? -12 : 24;
  const decimals = yTicks.every(Number.isInteger) ? 0 : 1;
  // The reference's name goes where the line is not: below its level when there is no room above.
  const above = y(reference.y) - margin.top > 24;
  return html`<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}">
<title>${title}</title>
${yTicks.map(
  (t) =>
    html`<line class="grid" x1="${margin.left}" x2="${right}" y1="${y(t)}" y2="${y(t)}"/><text class="tick" x="${margin.left - 8}" y="${y(t)}" dy="0.35em" text-anchor="end">${t.toFixed(decimals)}</text>`,
)}
${xTicks.map((t) => html`<text class="tick" x="${x(t)}" y="${bottom + 20}" text-anchor="middle">${t}</text>`)}
<rect class="interval" x="${margin.left}" width="${right - margin.left}" y="${y(reference.high)}" height="${round(y(reference.low) - y(reference.high))}"/>
<line class="reference" x1="${margin.left}" x2="${right}" y1="${y(reference.y)}" y2="${y(reference.y)}"/>
<text class="note" x="${margin.left + 8}" y="${round(y(reference.y) + (above ? -8 : 18))}">${reference.label}</text>
<path class="line" d="${path}"/>
${points.map((p) => html`<circle class="dot" cx="${x(p.x)}" cy="${y(p.y)}" r="${points.length > 40 ? 2 : 4}"><title>${xLabel} ${p.x}: ${p.y.toFixed(2)}</title></circle>`)}
<text class="value" x="${x(best.x)}" y="${round(y(best.y) + lift)}" text-anchor="${anchor}">${best.y.toFixed(2)} %</text>
<text class="axis" x="${round((margin.left + right) / 2)}" y="${size.height - 8}" text-anchor="middle">${xLabel}</text>
<text class="axis" x="${margin.left - 8}" y="16" text-anchor="start">${yLabel}</text>
</svg>`;
}

const round = (v: number): number => Math.round(v * 10) / 10;

/** Round numbers that enclose low … high: about `count` of them, 1, 2 or 5 times a power of ten apart. */
export function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw * 0.999) ?? 10);
  const from = Math.floor(low / step + 1e-9);
  const to = Math.max(from + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(12)));
}
