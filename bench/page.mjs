// docs/performance.md from what the benches measured: `npm run performance -- FILE.json …`, each written by a bench's --json.
// The figures are copied, never typed; sections that were not measured anew stay. docs/performance/ gets the charts.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BarChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { ink, renderChart } from "../dist/cli/chart/render-chart.js";
import { growth } from "./growth-page.mjs";
import { planner } from "./planner-page.mjs";
import { processorOf } from "./processor-of.mjs";
import { pruning } from "./pruning-page.mjs";
import { slim } from "./slim-page.mjs";
import { writePage } from "./write-page.mjs";

echarts.use([BarChart, GridComponent, LegendComponent, TitleComponent]);
const docs = fileURLToPath(new URL("../docs/", import.meta.url));
const titles = { resnet20: "ResNet-20", resnet50: "ResNet-50" };

const versionsOf = (rows) =>
  [...new Map(rows.flatMap((r) => Object.entries(r.versions)))].map((v) => v.join(" ")).join(", ");
const about = ({ machine, date, rounds, results }) =>
  `${machine.cpu}, ${machine.cores} cores (${machine.instructions.join(" ")}), ${machine.os}; ${versionsOf(results.flatMap((r) => r.rows))}; medians of ${rounds} rounds, ${date.slice(0, 10)}.`;
const footer = (doc) => ["", about(doc), ""];
const threads = (n) => `${n} thread${n > 1 ? "s" : ""}`;

const COMPILE = [
  "`torch.compile` is Inductor on channels-last images and with frozen weights (batch norms folded, convolutions packed), faster here than",
  "without; it compiles before the clock runs.",
];
const TFJS = [
  "TensorFlow.js is its wasm backend in Node (the plain one takes 11 s a batch); `tfjs-node` fetches its library from a host that was",
  "out of reach.",
];

const AGAIN = [
  "“Again”: activations are made again for the backward pass, by `--checkpoint-elementwise` and by `--checkpoint-activations`.",
  "",
];

const chartName = (doc) => `${doc.network}${processorOf(doc).file}.svg`;

function inference(doc) {
  const rows = doc.results.flatMap((r) => r.rows);
  const settings = doc.results.map((r) => `${threads(r.threads)}, batch ${r.batch}`);
  const lines = [
    `## Inference, ${titles[doc.network]}, ${doc.size}×${doc.size}${processorOf(doc).title}${doc.partial ? `: ${settings.join("; ")}` : ""}`,
    "",
    "SCConv (α = 1/2) in place of every 3×3 convolution of the blocks, in the form that is deployed, against the standard network on the",
    "same engine; and PyTorch as one runs it (`model.eval()`, `inference_mode`). Every row in a process of its own, in turn.",
    ...(rows.some((r) => r.name.startsWith("torch.compile")) ? COMPILE : []),
    ...(rows.some((r) => r.versions.tfjs) ? TFJS : []),
    "",
    ...(doc.partial ? [] : [`![time over the standard network's](performance/${chartName(doc)})`, ""]),
    "| threads, batch | network | ms | ÷ standard | our SCConv ÷ this | peak MiB |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
  ];
  for (const { threads: t, batch, rows: own } of doc.results) {
    for (const r of own) {
      if (r.failed) {
        lines.push(`| ${t}, ${batch} | ${r.name} | does not compile: ${r.failed} | | | |`);
        continue;
      }
      const ours = r.oursToThis === undefined ? "" : r.oursToThis.toFixed(2);
      lines.push(
        `| ${t}, ${batch} | ${r.name} | ${r.ms.toFixed(1)} | ${r.ratio.toFixed(3)} | ${ours} | ${r.peakRssMb ?? "?"} |`,
      );
    }
  }
  return [...lines, ...footer(doc)];
}

function training(doc) {
  const lines = [
    `## Training, ${titles[doc.network]}, ${doc.size ?? ""}×${doc.size ?? ""}, batch ${doc.batch}, ${threads(doc.threads)}${processorOf(doc).title}`,
    "",
    ...(doc.results.some((r) => r.rows.some((row) => row.peer.endsWith(" again"))) ? AGAIN : []),
    "| in the blocks | | images/s | ours ÷ this | peak MiB |",
    "| --- | --- | ---: | ---: | ---: |",
  ];
  for (const { conv, rows } of doc.results) {
    for (const r of rows)
      lines.push(
        `| ${conv} | ${r.peer} | ${r.imagesPerSecond.toFixed(r.imagesPerSecond < 20 ? 2 : 0)} | ${r.ratio.toFixed(2)} | ${r.peakRssMb ?? "?"} |`,
      );
  }
  return [...lines, ...footer(doc)];
}

/** Bars over a line at 1: one group for each setting, one colour for each network of ours. */
function chart(doc) {
  const names = ["SCConv", "SCConv, `--scope channel`"];
  const colours = [ink.main, ink.other];
  const option = {
    title: {
      text: `${titles[doc.network]}: time over the standard network's${processorOf(doc).title}`,
      textStyle: { fontSize: 14, color: ink.text },
    },
    legend: { bottom: 0, textStyle: { color: ink.soft } },
    grid: { left: 44, right: 16, top: 60, bottom: 62 },
    xAxis: {
      type: "category",
      data: doc.results.map(({ threads: t, batch }) => `${threads(t)}, batch ${batch}`),
      axisLabel: { color: ink.soft },
    },
    yAxis: {
      type: "value",
      min: 0,
      splitLine: { lineStyle: { color: ink.rule } },
      axisLabel: { color: ink.soft },
    },
    series: names.map((name, i) => ({
      name: name.replaceAll("`", ""),
      type: "bar",
      itemStyle: { color: colours[i] },
      label: { show: true, position: "top", color: ink.text, formatter: ({ value }) => value.toFixed(2) },
      data: doc.results.map(({ rows }) => rows.find((r) => r.name === name)?.ratio),
      ...(i === 0
        ? { markLine: { silent: true, symbol: "none", data: [{ yAxis: 1 }], lineStyle: { color: ink.soft } } }
        : {}),
    })),
  };
  const title = `<title>${titles[doc.network]}: time of networks with SCConv over the standard network's${processorOf(doc).title}</title>`;
  return renderChart(option, { width: 640, height: 340 }).replace(/(<svg [^>]*>)/, `$1${title}`);
}

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("need files that a bench wrote with --json");
const sections = [];
for (const file of files) {
  const doc = JSON.parse(await readFile(file, "utf8"));
  if (doc.kind === "inference" && !doc.partial)
    await writeFile(`${docs}performance/${chartName(doc)}`, chart(doc));
  if (doc.kind === "growth") {
    sections.push(...(await growth(doc, `${docs}performance/`)), about(doc), "");
    continue;
  }
  const section = { inference, planner, pruning, slim }[doc.kind] ?? training;
  sections.push(...section(doc));
}
const head = [
  "# Performance",
  "",
  "Generated by `npm run performance -- FILE.json …` from what these commands measured (`--json FILE.json`):",
  "`npm run bench:inference -- --python PYTHON [--network resnet20] [--compile] [--tfjs FOLDER]`, `npm run bench:growth`,",
  "`npm run bench:training -- --python PYTHON [--network resnet50]`, `npm run bench:planner`, `npm run bench:pruning` and `npm run bench:slim` (bench/README.md).",
  "Ratios are medians of the rounds' ratios: read them, not the milliseconds. Every table is of its date, and of the code of that day.",
  "`docs/decisions.md` says what was tried since and before, and what did not pay.",
  "",
];
/** By heading, in the order of the page: what was not measured anew stays as it is. */
const byHeading = (text) =>
  text
    .split(/^(?=## )/m)
    .flatMap((part) => (part.startsWith("## ") ? [[part.split("\n", 1)[0], part.trim()]] : []));
const page = `${docs}performance.md`;
const kept = new Map(byHeading(await readFile(page, "utf8").catch(() => "")));
for (const [heading, part] of byHeading(sections.join("\n"))) kept.set(heading, part);
await writePage(page, `${[head.join("\n").trim(), ...kept.values()].join("\n\n")}\n`);
