import { formatShape } from "../../base/dims.js";
import { formatBytes, formatCount, formatDim } from "../../base/format.js";
import { opsetOf } from "../../graph/ir.js";
import { readModel } from "../../host/node/models.js";
import { type LayerTable, layerTable } from "../../surgery/layer-table.js";
import { command } from "../command.js";
import { whole } from "../flags.js";
import type { Paint } from "../paint.js";
import { table } from "../table.js";

interface Options {
  readonly size?: number;
  readonly all?: boolean;
}

export default command<[string], Options>({
  configure: (c) =>
    c
      .argument("<model>", "an ONNX file")
      .option("--size <n>", "height and width, where the file leaves them open", whole("--size"))
      .option("--all", "list every node, not only those with weights or multiply-adds"),

  async run([file], { size, all }, context) {
    const { model, size: bytes, graph: read } = await readModel(file, context);
    const { sized, ...rest } = layerTable(read, { size, opset: opsetOf(model.graph) });
    const document = { ...rest, bytes };
    return { document, text: (paint) => textOf(document, { paint, all: Boolean(all), sized }) };
  },
});

function textOf(
  { parameters, macs, bytes, opset, layers, open, uncounted }: Omit<LayerTable, "sized"> & { bytes: number },
  { paint, all, sized }: { paint: Paint; all: boolean; sized: boolean },
): string {
  const shown = layers.filter((l) => all || l.parameters > 0 || l.macs !== 0);
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = shown.map((l) => [
    l.name,
    l.op,
    `${formatShape(l.inputShape)} → ${formatShape(l.outputShape)}`,
    l.parameters ? formatCount(l.parameters) : "",
    formatDim(l.macs, formatCount),
    l.bytes === undefined ? "?" : formatBytes(l.bytes),
    l.op === "Conv" ? (l.swappable ? "yes" : (l.reason ?? "no")) : "",
  ]);
  const columns = [
    { title: "layer" },
    { title: "operator" },
    { title: "shape" },
    right("parameters"),
    right("MACs"),
    right("bytes moved"),
    { title: "swappable" },
  ];
  const swappable = layers.filter((l) => l.swappable).length;
  const lines = [
    table(columns, rows),
    "",
    `${paint.bold(formatCount(parameters))} parameters · ${paint.bold(formatDim(macs, formatCount))} MACs per image · file ${formatBytes(bytes)} · operator set ${opset}`,
    `${swappable} of ${layers.filter((l) => l.op === "Conv").length} convolutions can be swapped for SCConv`,
  ];
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
