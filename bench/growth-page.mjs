// The section on growth of docs/performance.md: a chart and a table for each kind of work; see bench/page.mjs.
import { writeFile } from "node:fs/promises";
import { LineChart } from "echarts/charts";
import * as echarts from "echarts/core";
import { ink, renderChart } from "../dist/cli/chart/render-chart.js";

echarts.use([LineChart]);
const names = { standard: "standard", scconv: "SCConv", channel: "SCConv, --scope channel" };
const axisNames = { batch: "batch size", size: "image height and width", depth: "depth", width: "width" };
const colours = { standard: ink.soft, scconv: ink.main, channel: ink.other };
const panels = ["batch", "size", "depth", "width"];

/** Four panels, time against what grows, both logarithmic: a power law is a straight line. */
function chart(results, title) {
  const measured = panels.map((axis) => results.find((r) => r.axis === axis)).filter(Boolean);
  const place = (i) => ({
    left: i % 2 ? "56%" : "8%",
    top: 74 + 240 * Math.floor(i / 2),
    width: "40%",
    height: 160,
  });
  const convs = measured[0].series.map((s) => s.conv);
  const axisStyle = { axisLabel: { color: ink.soft }, nameTextStyle: { color: ink.soft } };
  const option = {
    title: { text: title, textStyle: { fontSize: 14, color: ink.text } },
    legend: { bottom: 0, textStyle: { color: ink.soft } },
    grid: measured.map((_, i) => place(i)),
    xAxis: measured.map(({ axis, rows }, i) => {
      const values = rows.map((r) => r.x);
      const range = { min: Math.min(...values), max: Math.max(...values) };
      const name = { name: axisNames[axis], nameLocation: "middle", nameGap: 26 };
      return {
        type: "log",
        logBase: 2,
        gridIndex: i,
        ...range,
        ...name,
        ...axisStyle,
        splitLine: { show: false },
      };
    }),
    yAxis: measured.map((_, i) => ({
      ...{ type: "log", gridIndex: i, name: "ms", ...axisStyle },
      splitLine: { lineStyle: { color: ink.rule } },
    })),
    series: measured.flatMap(({ rows }, i) =>
      convs.map((conv) => ({
        ...{ type: "line", name: names[conv], xAxisIndex: i, yAxisIndex: i, symbol: "circle", symbolSize: 6 },
        ...{ itemStyle: { color: colours[conv] }, lineStyle: { color: colours[conv] } },
        data: rows.filter((r) => r.conv === conv).map((r) => [r.x, Number(r.ms.toPrecision(4))]),
      })),
    ),
  };
  const height = 100 + 240 * Math.ceil(measured.length / 2);
  return renderChart(option, { width: 720, height }).replace(/(<svg [^>]*>)/, `$1<title>${title}</title>`);
}

const fitted = (f) => (f ? `${f.exponent.toFixed(2)} ± ${f.standardError.toFixed(2)}` : "?");
const shown = (ms) => ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);

const PROCESSOR = [
  "its own, and all points of a table take turns. ms is processor time: other work on the machine disturbs it less than time on the",
  "wall, but not little (caches, shared cores): where tables measure the same point, their difference says how much. Peak is VmHWM. x^p",
];
const WALL = [
  "its own, and all points of a table take turns. ms is time on the wall, of a machine that was left alone: where tables measure the",
  "same point, their difference says how well. Peak is VmHWM. x^p",
];

/** Lines of the section; its charts go to `folder`. */
export async function growth(doc, folder) {
  const { base } = doc;
  const several = base.threads > 1;
  const lines = [];
  for (const work of new Set(doc.results.map((r) => r.work))) {
    const results = doc.results.filter((r) => r.work === work);
    const title = `${work === "training" ? "a training step" : "inference"}${several ? `, ${base.threads} threads` : ""}`;
    const file = `growth-${work}${several ? `-${base.threads}-threads` : ""}.svg`;
    await writeFile(`${folder}${file}`, chart(results, `Growth of ${title}`));
    lines.push(
      `## Growth: ${title}`,
      "",
      `ResNets of CIFAR on ${several ? base.threads : "one"} thread${several ? "s" : ""}; where nothing else is said ResNet-20, ${base.size}×${base.size}, batch ${base.batch}, width ${base.width}. Each point is a process of`,
      ...(several ? WALL : PROCESSOR),
      "is fitted by least squares on the logarithms, ± one standard error of p; memory is fitted as what a process came to hold above",
      "what it held before it built its network.",
      "",
      `![time against batch, image size, depth and width](performance/${file})`,
      "",
    );
    for (const { axis, rows, series } of results) {
      const xs = [...new Set(rows.map((r) => r.x))];
      lines.push(
        `| ${axisNames[axis]}: ms (peak MiB) | ${xs.join(" | ")} | time ∝ | memory ∝ |`,
        `| --- | ${xs.map(() => "---:").join(" | ")} | --- | --- |`,
        ...series.map(({ conv, time, memory }) => {
          const own = rows.filter((r) => r.conv === conv);
          const cells = own.map((r) => `${shown(r.ms)} (${r.peakRssMb ?? "?"})`).join(" | ");
          return `| ${names[conv]} | ${cells} | x^(${fitted(time)}) | x^(${fitted(memory)}) |`;
        }),
        "",
      );
    }
  }
  return lines;
}
