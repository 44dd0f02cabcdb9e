import { printable, ScconvError } from "../../base/errors.js";
import { formatChange, formatCount, formatDim } from "../../base/format.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import { checkWritable } from "../../host/node/files.js";
import { readModel, writeModel } from "../../host/node/models.js";
import { costOf } from "../../ops/cost.js";
import { lower } from "../../ops/lower.js";
import { perImage } from "../../ops/per-image.js";
import { layerRows, totalParameters } from "../../surgery/layer-rows.js";
import { prepare } from "../../surgery/prepare.js";
import type { LayerRow, Pair } from "../../surgery/report.js";
import { swap } from "../../surgery/swap.js";
import { command } from "../command.js";
import { whole } from "../flags.js";
import { choiceOf } from "../layer-plan.js";
import { checkPlan, readPlan } from "../plan-file.js";
import { planLayers } from "../plan-layers.js";
import { planTable } from "../plan-table.js";
import { table } from "../table.js";
import { isPlanned, type SwapFlags, swapFlags, unitSettings } from "../unit-flags.js";

interface Options extends SwapFlags {
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly size?: number;
}

export default command<[string], Options>({
  configure: (c) =>
    swapFlags(
      c
        .argument("<model>", "an ONNX file")
        .option("-o, --out <file>", "the new ONNX file; its units have fresh weights, to be trained")
        .option("--dry-run", "only say what would be swapped")
        .option("--force", "replace an existing output")
        .option(
          "--size <n>",
          "height and width at which layers are timed, where the file leaves them open",
          whole("--size"),
        ),
    ),

  async run([file], options, context) {
    const { out, dryRun, force } = options;
    if (out === undefined && !dryRun) {
      throw new ScconvError("usage", "no output", { need: "-o OUT.onnx, or --dry-run" });
    }
    if (out !== undefined && !dryRun) await checkWritable(out, { force });
    const timed = isPlanned(options);
    const chosen = await readPlan(options);
    const { model, graph: read } = await readModel(file, context);
    const original = prepare(read);
    if (chosen) checkPlan(original, chosen, file);
    const settings = unitSettings(options);
    const plan = timed
      ? await planLayers(
          original,
          {
            ...{ settings, batch: options.latencyBatch, size: options.size },
            ...{ target: options.target, where: file },
          },
          context,
        )
      : undefined;
    const swapped = swap(original, {
      layers: chosen?.layers ?? (plan ? choiceOf(plan) : options.layers),
      ...{ settings, seed: context.seed },
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
      ...(plan ? { plan } : {}),
      ...(out === undefined || dryRun ? {} : { output: out }),
    };
    if (out !== undefined && !dryRun) await writeModel(out, modelOf(graph, model), { force });
    const planned = plan ? `${planTable(plan)}\n\n` : "";
    return { document, text: () => planned + textOf(rows, document) };
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
  const total =
    typeof before === "number" && typeof after === "number"
      ? `MACs ${pair([before, after])} (${formatChange(before, after)})`
      : `MACs ${[before, after].map((d) => formatDim(d, formatCount)).join(" → ")}`;
  return [
    table([{ title: "layer" }, { title: "" }, right("parameters"), right("MACs"), { title: "" }], lines),
    "",
    `parameters ${pair(parameters)} (${formatChange(...parameters)}) · ${total}`,
    output === undefined
      ? "Nothing was written."
      : `${printable(output)} written; its new units are untrained.`,
  ].join("\n");
}
