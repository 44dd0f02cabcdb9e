import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkLineComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { Course } from "./training.js";

echarts.use([LineChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer]);

export interface Inks {
  readonly text: string;
  readonly rule: string;
  readonly loss: string;
  readonly accuracy: string;
}

export interface LossChart {
  draw(course: Course, inks: Inks): void;
  resize(): void;
  dispose(): void;
}

/** Loss at every step against the left axis, top-1 at the end of every epoch against the right. */
export function lossChart(frame: HTMLElement): LossChart {
  const chart = echarts.init(frame, null, { renderer: "svg" });
  return {
    draw: (course, inks) => chart.setOption(optionOf(course, inks)),
    resize: () => chart.resize(),
    dispose: () => chart.dispose(),
  };
}

const names = { loss: "loss of a step", accuracy: "top-1 on held-out images" } as const;

function optionOf({ losses, epochs, step, calibrated, planned }: Course, inks: Inks) {
  const { text, rule, loss, accuracy } = inks;
  const epochOf = (at: number) => (at * planned) / (step?.steps ?? 1);
  const ink = {
    nameTextStyle: { color: text },
    axisLabel: { color: text },
    axisLine: { lineStyle: { color: rule } },
  };
  const start = calibrated ? [[0, calibrated.calibratedTop1]] : [];
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: { left: 56, right: 52, top: 64, bottom: 44 },
    legend: {
      ...{ top: 0, left: 0, textStyle: { color: text }, selectedMode: false, itemHeight: 8 },
      data: [
        { name: names.loss, icon: "roundRect", itemStyle: { color: loss } },
        { name: names.accuracy, icon: "circle", itemStyle: { color: accuracy } },
      ],
    },
    xAxis: {
      ...{ type: "value", min: 0, max: planned, minInterval: 1, splitLine: { show: false } },
      ...{ name: "epoch", nameLocation: "middle", nameGap: 26, ...ink },
    },
    yAxis: [
      { type: "value", name: "loss", scale: true, splitLine: { lineStyle: { color: rule } }, ...ink },
      { type: "value", name: "top-1, %", min: 0, max: 100, splitLine: { show: false }, ...ink },
    ],
    series: [
      {
        ...{ name: names.loss, type: "line", yAxisIndex: 0, showSymbol: false, sampling: "lttb" },
        ...{ color: loss, lineStyle: { color: loss, width: 1.5 }, silent: true },
        data: losses.map(([at, value]) => [epochOf(at), value]),
      },
      {
        ...{ name: names.accuracy, type: "line", yAxisIndex: 1, symbol: "circle", symbolSize: 8 },
        ...{ color: accuracy, lineStyle: { color: accuracy, width: 2, type: "dashed" }, silent: true },
        data: [...start, ...epochs.map((e) => [e.epoch, e.top1])],
        markLine: {
          ...{ silent: true, symbol: "none", lineStyle: { color: accuracy, type: "dotted" } },
          label: { formatter: "original", position: "insideEndTop", color: text },
          data: calibrated ? [{ yAxis: calibrated.top1 }] : [],
        },
      },
    ],
  };
}
