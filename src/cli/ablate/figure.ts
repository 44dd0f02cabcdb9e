import type { CustomSeriesRenderItemAPI, CustomSeriesRenderItemParams } from "echarts/types/dist/shared";
import { printable } from "../../base/errors.js";
import { formatCount } from "../../base/format.js";
import { font, ink, renderChart } from "../chart/render-chart.js";
import type { GridFacts } from "./facts.js";
import { formatEstimate } from "./page.js";
import type { Estimate } from "./statistics.js";
import type { CellRow, Summary } from "./summary.js";

type Drawn = CellRow & { readonly last: Estimate; readonly macs: number };

const WIDTH = 800;

/** `ablation.svg`: top-1 after the last epoch with its interval over seeds; undefined while no run is over. */
export function figure(summary: Summary, facts: GridFacts): string | undefined {
  const cells = summary.cells.filter((c): c is Drawn => c.last !== undefined && typeof c.macs === "number");
  if (cells.length === 0) return undefined;
  return facts.grid.chart === "macs" ? againstMacs(cells, facts) : inRows(cells, facts);
}

/** Several titles of one chart: what it is, and what stands behind it. */
function titleOf({ grid, architecture, seeds, recipe, data }: GridFacts) {
  const behind = [
    architecture,
    `${recipe.epochs} ${recipe.epochs === 1 ? "epoch" : "epochs"} of ${data.trainImages.toLocaleString("en")} images`,
    seeds.length === 1
      ? "one seed: no interval"
      : `${seeds.length} seeds, mean and 95 % interval, dots are seeds`,
  ];
  return {
    ...{ text: grid.title, subtext: behind.join(" · "), left: 16, top: 12, itemGap: 6 },
    textStyle: { color: ink.text, fontSize: 17, fontWeight: 600 },
    subtextStyle: { color: ink.soft, fontSize: 13 },
  };
}

const label = { color: ink.text, fontSize: 13, fontFamily: font };
const softLabel = { color: ink.soft, fontSize: 12, fontFamily: font };
const named = (name: string, gap: number) => ({
  ...{ name, nameLocation: "middle" as const, nameGap: gap, nameTextStyle: softLabel },
});
const hidden = { axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } };

/** One row for each cell, in the grid's order: interval, mean, seeds; its figures at both ends. */
function inRows(cells: readonly Drawn[], facts: GridFacts): string {
  const height = 130 + 44 * cells.length;
  const names = cells.map((c) => `{name|${plain(c.label)}}\n{macs|${formatCount(c.macs)} MACs}`);
  const rich = { name: { ...label, lineHeight: 17 }, macs: { ...softLabel, lineHeight: 15 } };
  const rows = { type: "category" as const, inverse: true, ...hidden };
  return renderChart(
    {
      title: titleOf(facts),
      grid: { left: 190, right: 140, top: 74, bottom: 52 },
      xAxis: { ...topAxis(cells), ...named("top-1, per cent", 30) },
      yAxis: [
        { ...rows, data: names, axisLabel: { rich, margin: 14, lineHeight: 16 } },
        { ...rows, data: cells.map((c) => figureOf(c.last)), axisLabel: { ...label, margin: 14 } },
      ],
      series: [
        level(cells[0]!.last.mean, cells.length),
        bar(
          cells.map((c, i) => [...ends(c.last), i]),
          "across",
        ),
        seedsOf(cells.flatMap((c, i) => values(c).map((v) => [v, i]))),
        means(cells.map((c, i) => ({ value: [c.last.mean, i] }))),
      ],
    },
    { width: WIDTH, height },
  );
}

/** Figure 4's form: accuracy against multiply-adds, a line through the cells; the first one, the reference, stands apart. */
function againstMacs(cells: readonly Drawn[], facts: GridFacts): string {
  const first = cells.find((c) => c.label === facts.reference);
  const line = cells.filter((c) => c !== first);
  const macs = cells.map((c) => c.macs);
  const [least, most] = [Math.min(...macs), Math.max(...macs)];
  // Room for the outermost labels.
  const pad = 0.07 * (most - least) || 0.1 * most;
  const point = (c: Drawn) => ({ name: plain(c.label), value: [c.macs, c.last.mean] });
  return renderChart(
    {
      title: titleOf(facts),
      grid: { left: 76, right: 96, top: 84, bottom: 62 },
      xAxis: {
        ...{ type: "value", min: least - pad, max: most + pad, splitLine: { show: false } },
        ...named("multiply-adds of one image", 34),
        axisLabel: {
          ...{ ...softLabel, showMinLabel: false, showMaxLabel: false },
          formatter: (v: number) => formatCount(v),
        },
        axisLine: { lineStyle: { color: ink.rule } },
      },
      yAxis: { ...topAxis(cells, 0.14), ...named("top-1, per cent", 46) },
      series: [
        {
          type: "line",
          data: line.map(point),
          symbol: "none",
          lineStyle: { color: ink.main, width: 1.5, opacity: 0.55 },
        },
        bar(
          cells.map((c) => [...ends(c.last), c.macs]),
          "up",
        ),
        seedsOf(cells.flatMap((c) => values(c).map((v) => [c.macs, v]))),
        means(line.map(point)),
        ...(first ? [means([point(first)], ink.other)] : []),
        names(cells),
      ],
    },
    { width: WIDTH, height: 460 },
  );
}

/** Top-1, with room around what is drawn, `above` it more where labels stand there; it ends at 0 and at 100. */
function topAxis(cells: readonly Drawn[], above = 0.05) {
  const all = cells.flatMap((c) => [...ends(c.last), ...values(c)]);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = Math.max(high - low, 1);
  const decimals = span <= 1 ? 2 : span < 6 ? 1 : 0;
  return {
    ...{
      type: "value" as const,
      min: Math.max(0, low - 0.05 * span),
      max: Math.min(100, high + above * span),
    },
    axisLabel: {
      ...{ ...softLabel, showMinLabel: false, showMaxLabel: false },
      formatter: (v: number) => v.toFixed(decimals),
    },
    splitLine: { showMinLine: false, showMaxLine: false, lineStyle: { color: ink.rule } },
  };
}

const ends = ({ mean, half = 0 }: Estimate): [number, number] => [mean - half, mean + half];
const figureOf = (e: Estimate): string => (e.half === undefined ? e.mean.toFixed(2) : formatEstimate(e));
const values = (c: CellRow): number[] => c.runs.flatMap((r) => (r.last ? [r.last.top1] : []));
/** As long as there is room for; `{` and `|` are marks of rich text in an axis label. */
const plain = (text: string): string => printable(text, 24).replace(/[{}|]/g, " ");

const quiet = { silent: true, emphasis: { disabled: true } };

/** Intervals [low, high, where], across (a row) or up (a column). */
function bar(data: readonly (readonly number[])[], direction: "across" | "up") {
  const across = direction === "across";
  return {
    ...{
      ...quiet,
      type: "custom",
      clip: true,
      data,
      encode: across ? { x: [0, 1], y: 2 } : { x: 2, y: [0, 1] },
    },
    renderItem(_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) {
      const at = (i: number) =>
        api.coord(across ? [api.value(i), api.value(2)] : [api.value(2), api.value(i)]);
      const [[x1, y1], [x2, y2]] = [at(0) as [number, number], at(1) as [number, number]];
      if (x1 === x2 && y1 === y2) return null;
      const caps = across
        ? `M${x1} ${y1 - 5}v10M${x2} ${y2 - 5}v10`
        : `M${x1 - 5} ${y1}h10M${x2 - 5} ${y2}h10`;
      return {
        type: "path",
        shape: { pathData: `M${x1} ${y1}L${x2} ${y2}${caps}` },
        style: { fill: "none", stroke: ink.main, lineWidth: 1.6 },
      };
    },
  };
}

const seedsOf = (data: readonly (readonly number[])[]) => ({
  ...{ ...quiet, type: "scatter", data, symbolSize: 6 },
  itemStyle: { color: ink.paper, borderColor: ink.soft, borderWidth: 1, opacity: 0.9 },
});

const means = (data: readonly { readonly value: readonly number[] }[], color: string = ink.main) => ({
  ...{ ...quiet, type: "scatter", data, symbolSize: 10, itemStyle: { color, opacity: 1 } },
});

/** Labels above all that is drawn of a cell, moved apart where they would meet. */
const names = (cells: readonly Drawn[]) => ({
  ...{ ...quiet, type: "scatter", symbolSize: 10, itemStyle: { color: "transparent", opacity: 1 } },
  data: cells.map((c) => ({
    name: plain(c.label),
    value: [c.macs, Math.max(ends(c.last)[1], ...values(c))],
  })),
  label: {
    ...{ ...label, show: true, position: "top", distance: 5, formatter: "{b}" },
    ...{ textBorderColor: ink.paper, textBorderWidth: 3 },
  },
  labelLayout: { moveOverlap: "shiftY" as const },
});

/** The reference's mean across all rows. */
const level = (value: number, rows: number) => ({
  ...{ ...quiet, type: "custom", data: [[value, 0, rows - 1]], encode: { x: 0, y: [1, 2] } },
  renderItem(_: CustomSeriesRenderItemParams, api: CustomSeriesRenderItemAPI) {
    const at = (i: number) => api.coord([api.value(0), api.value(i)]) as [number, number];
    const [[x, top], [, bottom]] = [at(1), at(2)];
    return {
      type: "line",
      shape: { x1: x, x2: x, y1: top, y2: bottom },
      style: { stroke: ink.soft, lineWidth: 1, lineDash: [5, 4] },
    };
  },
});
