import { formatShape } from "../../base/dims.js";
import { formatBytes, formatCount, formatDim, formatMs, formatShare } from "../../base/format.js";
import { type Inspected, shownLayers } from "../../report/inspected.js";
import type { Paint } from "../paint.js";
import { table } from "../table.js";

/** The layers for the terminal. */
export function inspectedTable(
  inspected: Inspected,
  { paint, all, sized }: { paint: Paint; all: boolean; sized: boolean },
): string {
  const { parameters, macs, bytes, opset, layers, open, uncounted, timing, images } = inspected;
  const shown = all ? layers : shownLayers(layers);
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = shown.map((l) => [
    l.name,
    l.op,
    `${formatShape(l.inputShape)} → ${formatShape(l.outputShape)}`,
    l.parameters ? formatCount(l.parameters) : "",
    formatDim(l.macs, formatCount),
    l.bytes === undefined ? "?" : formatBytes(l.bytes),
    ...(timing ? [l.ms === undefined ? "" : l.ms.toFixed(3)] : []),
    ...(images === undefined ? [] : [l.redundancy ? formatShare(l.redundancy.redundancy) : ""]),
    l.op === "Conv" ? (l.swappable ? "yes" : (l.reason ?? "no")) : "",
  ]);
  const columns = [
    { title: "layer" },
    { title: "operator" },
    { title: "shape" },
    right("parameters"),
    right("MACs"),
    right("bytes moved"),
    ...(timing ? [right("ms")] : []),
    ...(images === undefined ? [] : [right("redundancy")]),
    { title: "swappable" },
  ];
  const swappable = layers.filter((l) => l.swappable).length;
  const lines = [
    table(columns, rows),
    "",
    `${paint.bold(formatCount(parameters))} parameters · ${paint.bold(formatDim(macs, formatCount))} MACs per image · file ${formatBytes(bytes)} · operator set ${opset}`,
    `${swappable} of ${layers.filter((l) => l.op === "Conv").length} convolutions can be swapped for SCConv`,
  ];
  if (timing) {
    const { ms, engineMs, runs, threads } = timing;
    lines.push(
      `all nodes together ${formatMs(ms)} an image, ${formatMs(engineMs)} of it changes of layout by the engine (medians of ${runs} inferences, ${threads} thread${threads > 1 ? "s" : ""}, with the profile on)`,
    );
  }
  if (images !== undefined)
    lines.push(paint.dim(`redundancy on ${images} image${images > 1 ? "s" : ""}: docs/features.md`));
  for (const { size, each, from, op } of open) {
    const part = each === undefined ? "" : `, ${formatCount(each)} MACs for each`;
    lines.push(`Open: ${size}, which the values decide in ${from} (${op})${part}; known only when it runs`);
  }
  if (!sized) lines.push("Some sizes are open in this file: --size N fills them in.");
  if (uncounted.length > 0) {
    const list = uncounted.map((u) => `${u.op} ×${u.count} (${u.why})`).join(", ");
    lines.push(paint.bad(`Not counted: ${list}`));
  }
  return lines.join("\n");
}
