import { printable } from "../../base/errors.js";
import { formatCount, formatDim, formatMs } from "../../base/format.js";
import { type BenchResult, benchModels } from "../../host/node/bench.js";
import { readModel } from "../../host/node/models.js";
import type { NodeProvider } from "../../host/node/ort.js";
import type { GraphCost } from "../../ops/cost.js";
import { costPerImage } from "../../ops/per-image.js";
import { command } from "../command.js";
import { oneOf, whole } from "../flags.js";
import { table } from "../table.js";

interface Options {
  readonly batch: number;
  readonly runs: number;
  readonly provider: NodeProvider;
  readonly size?: number;
}

export default command<[string[]], Options>({
  configure: (c) =>
    c
      .argument("<model...>", "ONNX files; ratios are to the first")
      .option("--batch <n>", "images at once", whole("--batch"), 1)
      .option("--runs <n>", "timed inferences of each model", whole("--runs"), 30)
      .option(
        "--provider <name>",
        "cpu or webgpu",
        oneOf<NodeProvider>("--provider", ["cpu", "webgpu"]),
        "cpu",
      )
      .option("--size <n>", "height and width, where the file leaves them open", whole("--size")),

  async run([files], { batch, runs, provider, size }, context) {
    const { threads, seed, signal, progress, externalLinks } = context;
    // Before any process is started: a file that is none is told at once, and its costs are known.
    const costs: Pick<GraphCost, "parameters" | "macs">[] = [];
    for (const file of files) {
      const { parameters, macs } = costPerImage((await readModel(file, context)).graph, size);
      costs.push({ parameters, macs });
    }
    const phase = progress.phase("bench", runs);
    const timing = await benchModels(files, {
      ...{ batch, runs, provider, threads, size, seed, signal, externalLinks },
      onRound: (done) => phase.tick(done),
    });
    phase.done();
    const models = timing.models.map((m, i) => ({ ...m, ...costs[i]! }));
    return { document: { ...timing, models }, text: () => textOf(models, timing) };
  },
});

type Timed = BenchResult["models"][number] & Pick<GraphCost, "parameters" | "macs">;

function textOf(models: readonly Timed[], result: BenchResult): string {
  const { ratios, provider, threads, batch, runs, runtime } = result;
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = models.map((m, i) => [
    m.file,
    formatMs(m.medianMs),
    `${formatMs(m.p10Ms)} – ${formatMs(m.p90Ms)}`,
    ratios[i]!.toFixed(3),
    formatCount(m.parameters),
    formatDim(m.macs, formatCount),
    `${Math.round(m.peakRssMb)} MB`,
  ]);
  const head = [
    { title: "model" },
    ...["median", "p10 – p90", "ratio", "parameters", "MACs/image", "peak memory"].map(right),
  ];
  const about = `${runtime} (${provider}) · ${threads} thread${threads > 1 ? "s" : ""} · batch ${batch} · ${runs} rounds, interleaved`;
  return `${table(head, rows)}\n\n${printable(about)}`;
}
