import { formatBytes, formatChange, formatCount, formatMs } from "../../base/format.js";
import { type SlimReport, wilson } from "../../surgery/report.js";
import { table } from "../table.js";

/** Before → after, for the terminal. */
export function slimTable({ parameters, macs, bytes, top1, latency, data }: SlimReport): string {
  const percent = (v: number) => {
    const [low, high] = wilson(v, data.testImages);
    return `${v.toFixed(2)} % (${low.toFixed(1)} – ${high.toFixed(1)})`;
  };
  const points = top1[1] - top1[0];
  const rows = [
    ["parameters", ...parameters.map(formatCount), formatChange(...parameters)],
    ["MACs per image", ...macs.map(formatCount), formatChange(...macs)],
    ["file", ...bytes.map(formatBytes), formatChange(...bytes)],
    ["top-1 (95 %)", ...top1.map(percent), `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(2)} points`],
  ];
  if (latency) {
    const { batch, threads, ratio, models } = latency;
    const label = `latency, batch ${batch}, ${threads} thread${threads > 1 ? "s" : ""}`;
    rows.push([label, ...models.map((m) => formatMs(m.medianMs)), `×${ratio.toFixed(2)}`]);
  }
  const right = (title: string) => ({ title, align: "right" as const });
  return table([{ title: "" }, right("before"), right("after"), right("change")], rows);
}
