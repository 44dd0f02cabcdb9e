import { join } from "node:path";
import { printable, ScconvError } from "../../base/errors.js";
import type { Graph } from "../../graph/ir.js";
import { modelOf } from "../../graph/model.js";
import { benchModels, type ModelTiming } from "../../host/node/bench.js";
import { checkWritable } from "../../host/node/files.js";
import { machine } from "../../host/node/machine.js";
import { readModel, writeModel } from "../../host/node/models.js";
import { nodeEngine } from "../../host/node/ort.js";
import { costPerImage } from "../../ops/per-image.js";
import { deploy } from "../../optimise/index.js";
import { verdict } from "../../report/verdict.js";
import { totalParameters } from "../../surgery/layer-rows.js";
import type { SlimReport } from "../../surgery/report.js";
import { slimRecipe, slimUnit } from "../../surgery/slim-settings.js";
import { openBatch } from "../../train/classifier.js";
import { assumedNormalize, cropFor, statedNormalize } from "../../train/model-images.js";
import type { Recipe } from "../../train/recipe.js";
import { type CommandContext, command } from "../command.js";
import { commandLine } from "../command-line.js";
import { dataFor } from "../data-for.js";
import { failureOf } from "../failure.js";
import type { LayerPlan } from "../layer-plan.js";
import { checkPlan, readPlan } from "../plan-file.js";
import { recipeOf } from "../recipe-files.js";
import { compareLayers } from "../report/compare-layers.js";
import { mapPictures } from "../report/map-pictures.js";
import { slimTable } from "../report/slim-table.js";
import { checkReportFolder, writeReport } from "../report/write-report.js";
import { type SlimFlags, slimFlags } from "../slim-flags.js";
import { type SlimJob, type Slimmed, slim } from "../slim-job.js";
import { forgetFruitlessRun, forgetRun, REWRITTEN } from "../slim-run.js";
import { isPlanned, unitSettings } from "../unit-flags.js";
import { version } from "../version.js";

export default command<[string], SlimFlags>({
  configure: slimFlags,

  async run([file], flags, context) {
    const started = new Date();
    const folder = flags.report ?? `${flags.out.replace(/\.onnx$/i, "")}-report`;
    // All that could fail at the end is tried at the start.
    isPlanned(flags);
    const chosen = await readPlan(flags);
    const replace = { force: Boolean(flags.force) };
    await checkWritable(flags.out, replace);
    await checkReportFolder(folder, replace);
    const { recipe, data: prescribed } = await recipeOf(flags, slimRecipe);
    const asRead = await readModel(file, context);
    const { graph, classifier, fixedBatch: fixed } = openBatch(asRead.graph, file);
    if (fixed !== undefined) context.note(`the batch, fixed to ${fixed} in the file, is left open`);
    const read = { ...asRead, graph };
    if (chosen) checkPlan(graph, chosen, file);
    const about = { where: file, warn: context.warn, otherwise: prescribed.normalize };
    const stated = statedNormalize(read.model, flags.normalize, about);
    const normalize = stated ?? assumedNormalize(about);
    const crop = cropFor(read.model, flags.crop, file);
    const data = await dataFor(classifier, { ...flags, crop }, context.progress);
    try {
      if (!data.train)
        throw new ScconvError("bad-input", "the data has no training split", { where: flags.data });
      const settings = settingsOf({ ...flags, crop, layers: chosen?.label ?? flags.layers }, recipe, context);
      const job = {
        file,
        read,
        classifier,
        fixedBatch: fixed,
        data,
        normalize,
        normalizeIsStated: stated !== undefined,
        crop,
        flags,
        chosen: chosen?.layers,
        recipe,
        settings,
        runFolder: join(folder, "unfinished"),
      };
      const slimmed = await slim(job, context).catch(async (error) => {
        if (!context.signal.aborted) await forgetFruitlessRun(job.runFolder, folder);
        throw error;
      });
      const inside = await lookInside(job, slimmed, context);
      // Nothing of ours runs beside the models that are timed.
      await data.close();
      const report = { ...(await reportOf(job, slimmed, { context, started })), ...inside?.report };
      const page = await writeReport(folder, report, { ...replace, pictures: inside?.pictures });
      await forgetRun(job.runFolder);
      return outcomeOf(report, { page, folder, flags, plan: slimmed.plan });
    } finally {
      await data.close();
    }
  },
});

/** What is worth seeing of the layers; undefined where that fails, for by now the model is written. */
async function lookInside(job: SlimJob, { original, graph, layers }: Slimmed, context: CommandContext) {
  const { file, data, normalize, classifier, flags } = job;
  try {
    const engine = nodeEngine({ threads: context.threads });
    const compared = { original, slimmed: graph, layers, data, input: classifier.input, normalize };
    const comparison = await compareLayers(engine, { ...compared, where: file }, context);
    const pictures = await mapPictures(comparison, { ...data, normalize });
    return { report: { redundancy: comparison.redundancy }, pictures };
  } catch (error) {
    if (context.signal.aborted) throw error;
    context.warn(`the report has no feature maps (${flags.out} is written): ${failureOf(error).line}`);
    return undefined;
  }
}

/** Everything that decides the outcome. */
function settingsOf(flags: SlimFlags, recipe: Recipe, { seed }: CommandContext): SlimJob["settings"] {
  const { calibrate, calibrateBatch, calibrateLr, gateRate, temperature, distill, hint, size, limit } = flags;
  return {
    ...{
      layers: flags.layers,
      ...(flags.target ? { target: flags.target.latency } : {}),
      ...slimUnit,
      ...unitSettings(flags),
    },
    ...{ calibrate, calibrateBatch, calibrateLr, gateRate },
    ...{
      ...recipe,
      milestones: recipe.milestones.join(),
      jitter: recipe.jitter.join(),
      temperature,
      distill,
      hint,
      seed,
    },
    ...(size === undefined ? {} : { size }),
    ...(limit === undefined ? {} : { limit }),
    ...(flags.crop === undefined ? {} : { crop: flags.crop }),
  };
}

/**
 * The original with the rewrites of the new model and nothing swapped, for what rewriting gains is no gain of the swap. None where it
 * cannot be written: by now the model is.
 */
async function writeRewritten(
  { read, runFolder }: SlimJob,
  { original }: Slimmed,
  { warn }: CommandContext,
): Promise<readonly string[]> {
  const file = join(runFolder, REWRITTEN);
  try {
    await writeModel(file, modelOf(deploy(original), read.model), { force: true });
    return [file];
  } catch (error) {
    warn(`the original without a swap is not timed: ${failureOf(error).line}`);
    return [];
  }
}

const rewrittenTimes = ({ medianMs, p10Ms, p90Ms, peakRssMb }: ModelTiming, ratio: number) => ({
  ...{ medianMs, p10Ms, p90Ms, peakRssMb, ratio },
});

async function reportOf(
  job: SlimJob,
  slimmed: Slimmed,
  { context, started }: { context: CommandContext; started: Date },
): Promise<SlimReport> {
  const { threads, signal, seed, progress, argv } = context;
  const { file, read, data, normalize, flags, settings } = job;
  const rewritten = await writeRewritten(job, slimmed, context);
  const phase = progress.phase("bench", flags.latencyRuns);
  const timing = await benchModels([file, flags.out, ...rewritten], {
    ...{ threads, signal, seed, batch: flags.latencyBatch, runs: flags.latencyRuns, size: flags.size },
    externalLinks: context.externalLinks,
    onRound: (done) => phase.tick(done),
  });
  phase.done();
  const alone = rewritten.length > 0 ? timing.models[2] : undefined;
  const { node, ...hardware } = machine();
  const macs = (graph: Graph) => {
    const total = costPerImage(graph).macs;
    return typeof total === "number" ? total : Number.NaN;
  };
  return {
    version: 1,
    command: commandLine(argv),
    started: started.toISOString(),
    seconds: slimmed.seconds,
    seed,
    software: { scconv: version, runtime: timing.runtime, node },
    machine: hardware,
    input: file,
    output: flags.out,
    data: {
      source: data.source,
      trainImages: data.train!.length,
      testImages: data.test!.length,
      classes: data.classes.length,
      normalize: normalize.name,
    },
    settings,
    parameters: totalParameters(slimmed.original, slimmed.layers),
    macs: [macs(slimmed.original), macs(slimmed.graph)],
    bytes: [read.size, slimmed.bytes],
    top1: slimmed.top1,
    latency: {
      ...{ batch: timing.batch, threads: timing.threads, provider: timing.provider, runs: timing.runs },
      models: [timing.models[0]!, timing.models[1]!],
      ratio: timing.ratios[1]!,
      ...(alone ? { rewritten: rewrittenTimes(alone, timing.ratios[2]!) } : {}),
    },
    epochs: slimmed.epochs,
    calibratedTop1: slimmed.calibratedTop1,
    layers: slimmed.layers,
    ...(slimmed.plan ? { plan: slimmed.plan } : {}),
  };
}

function outcomeOf(
  report: SlimReport,
  {
    page,
    folder,
    flags,
    plan,
  }: { page: string; folder: string; flags: SlimFlags; plan: LayerPlan | undefined },
) {
  const { parameters, macs, bytes, top1, latency, epochs, seconds, output } = report;
  const { rewritten } = latency!;
  const lost = top1[0] - top1[1];
  const failed = flags.maxDrop !== undefined && lost > flags.maxDrop;
  return {
    document: {
      ...{ parameters, macs, bytes, top1 },
      latencyMs: latency!.models.map((m) => m.medianMs),
      ratio: latency!.ratio,
      ...(rewritten ? { rewritten: { latencyMs: rewritten.medianMs, ratio: rewritten.ratio } } : {}),
      ...{ epochs: epochs.length, seconds, output, report: folder },
      ...(plan ? { plan } : {}),
    },
    text: ({
      bad,
      good,
      bold,
    }: {
      bad(t: string): string;
      good(t: string): string;
      bold(t: string): string;
    }) =>
      [
        slimTable(report),
        "",
        ...verdict(report).map(({ tone, text }) =>
          tone === "bad" ? bad(text) : tone === "good" ? good(text) : text,
        ),
        ...(failed
          ? [bad(bold(`Top-1 fell by ${lost.toFixed(2)} points, more than --max-drop ${flags.maxDrop}.`))]
          : []),
        "",
        `model   ${printable(output)}`,
        `report  ${printable(page)}`,
      ].join("\n"),
    failed,
  };
}
