import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TitleComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { LabelLayout } from "echarts/features";
import { SVGRenderer } from "echarts/renderers";

echarts.use([CustomChart, LineChart, ScatterChart, GridComponent, TitleComponent, LabelLayout, SVGRenderer]);

/** The report's colours, in their light form: a figure goes into papers and pages that are white. */
export const ink = {
  paper: "#ffffff",
  text: "#1d2126",
  soft: "#626a73",
  rule: "#e3e0d8",
  main: "#0b6e78",
  other: "#8a5a00",
} as const;

/** Names without quotation marks: it is written into an attribute as it stands. */
export const font = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, sans-serif";

export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/** An SVG file of a chart, drawn without a DOM; the same options give the same bytes. */
export function renderChart(option: echarts.EChartsCoreOption, { width, height }: ChartSize): string {
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: ink.paper,
      textStyle: { fontFamily: font },
      ...option,
    });
    return cleaned(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/**
 * Without what is for a live chart: marks for hydration, a style sheet for the mouse, and in names the number of charts
 * that the process has drawn.
 */
const cleaned = (svg: string): string =>
  svg
    .replace(/<style[\s\S]*?<\/style>\n?/g, "")
    .replace(/ class="zr\d+-cls-\d+"/g, "")
    .replace(/ ecmeta_\w+="[^"]*"/g, "")
    .replace(/\bzr\d+-(c\d+)/g, "$1")
    .replace(/ pointer-events="visible"/g, "")
    .concat("\n");
