import { printable, ScconvError } from "../../base/errors.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import { checkWritable } from "../../host/node/files.js";
import { readModel, writeModel } from "../../host/node/models.js";
import { costOf } from "../../ops/cost.js";
import { lower } from "../../ops/lower.js";
import { prepare } from "../../surgery/prepare.js";
import type { LayerRow, Pair } from "../../surgery/report.js";
import { swap } from "../../surgery/swap.js";
import { command } from "../command.js";
import { perImage } from "../cost.js";
import { formatChange, formatCount } from "../format.js";
import { layerRows, totalParameters } from "../layer-rows.js";
import { table } from "../table.js";
import { layersOf, type SwapFlags, swapFlags, unitSettings } from "../unit-flags.js";

interface Options extends SwapFlags {
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

export default command<[string], Options>({
  configure: (c) =>
    swapFlags(
      c
        .argument("<model>", "an ONNX file")
        .option("-o, --out <file>", "the new ONNX file; its units have fresh weights, to be trained")
        .option("--dry-run", "only say what would be swapped")
        .option("--force", "replace an existing output"),
    ),

  async run([file], options, context) {
    const { out, dryRun, force } = options;
    if (out === undefined && !dryRun) {
      throw new ScconvError("usage", "no output", { need: "-o OUT.onnx, or --dry-run" });
    }
    if (out !== undefined && !dryRun) await checkWritable(out, { force });
    const { model, graph: read } = await readModel(file, context);
    const original = prepare(read);
    const swapped = swap(original, {
      layers: layersOf(options),
      settings: unitSettings(options),
      seed: context.seed,
    });
    const graph = lower(swapped.graph);
    const rows = layerRows(original, graph, swapped);
    const document = {
      swapped: rows.flatMap(({ name, from, to, parameters, macs, reason }) =>
        to === undefined
          ? []
          : [{ name, from, to, parameters, macs, ...(reason ? { adapted: reason } : {}) }],
      ),
      kept: rows.flatMap(({ name, to, reason }) => (to === undefined ? [{ name, reason: reason! }] : [])),
      ...totals(original, { graph, rows }),
      ...(out === undefined || dryRun ? {} : { output: out }),
    };
    if (out !== undefined && !dryRun) await writeModel(out, modelOf(graph, model), { force });
    return { document, text: () => textOf(rows, document) };
  },
});

/** Of the whole network, before and after; MACs are of one image, and symbols where a size stays open. */
function totals(before: Graph, { graph, rows }: { graph: Graph; rows: readonly LayerRow[] }) {
  const macs = [before, graph].map((g) => costOf(perImage(g)).macs);
  return { parameters: totalParameters(before, rows), macs: [macs[0]!, macs[1]!] as const };
}

function textOf(
  rows: readonly LayerRow[],
  { parameters, macs, output }: ReturnType<typeof totals> & { output?: string },
): string {
  const pair = ([before, after]: Pair) => `${formatCount(before)} → ${formatCount(after)}`;
  const right = (title: string) => ({ title, align: "right" as const });
  const lines = rows.map((r) => [
    r.name,
    r.to ? `${r.from} → ${r.to}` : "kept",
    r.to ? pair(r.parameters) : "",
    r.to ? pair(r.macs) : "",
    r.reason ?? "",
  ]);
  const [before, after] = macs;
  const whole =
    typeof before === "number" && typeof after === "number"
      ? `MACs ${pair([before, after])} (${formatChange(before, after)})`
      : `MACs ${before} → ${after}`;
  return [
    table([{ title: "layer" }, { title: "" }, right("parameters"), right("MACs"), { title: "" }], lines),
    "",
    `parameters ${pair(parameters)} (${formatChange(...parameters)}) · ${whole}`,
    output === undefined
      ? "Nothing was written."
      : `${printable(output)} written; its new units are untrained.`,
  ].join("\n");
}
