// One file through read, inspect, swap, run and train.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  bindSizes,
  costOf,
  lower,
  matchConvolutions,
  modelOf,
  operators,
  prepare,
  readModel,
  scconvDefaults,
  swap,
  unsupportedOperators,
  verify,
  writeModel,
} from "../../dist/node.js";
import { perImage } from "../../dist/ops/per-image.js";
import { matched } from "./detections.mjs";
import { readReference, relative } from "./files.mjs";
import { checkTraining } from "./train.mjs";
import { findWeights } from "./weights.mjs";

/** Of outputs, over their norm: float32 here and there, or float64 there. */
const OUTPUTS = 1e-4;
const names = (list) => list.map((v) => v.name).join();

/** Symbolic sizes of the image input, by what the image has there. */
export function sizesOf(graph, image) {
  const sizes = new Map();
  const input = graph.inputs.find((i) => !graph.initializers.has(i.name));
  input.type.shape.forEach((d, axis) => {
    if (typeof d === "string") sizes.set(d, image.dims[axis]);
  });
  return sizes;
}

/** Every step: `passed`, `failed: …`, or `skipped: …`; with the figures of the table. */
export async function checkFile(root, network, file, engine) {
  const steps = {};
  const figures = {};
  const step = async (name, work) => {
    const started = performance.now();
    try {
      steps[name] = (await work()) ?? "passed";
    } catch (error) {
      steps[name] = `failed: ${error.code ? error.message : error.stack}`;
    }
    figures[`${name}Seconds`] = Math.round((performance.now() - started) / 100) / 10;
    return steps[name] === "passed";
  };
  const path = join(root, network.name, file.path);
  const reference = await readReference(root, network.name, file.sizes);
  const image = reference.get("images");
  let read;
  let graph;
  const ok = await step("read", async () => {
    read = await readModel(path);
    const unknown = unsupportedOperators(read.graph);
    if (unknown.length > 0)
      return `failed: without rules here: ${unknown.map((u) => `${u.op} ×${u.count}`).join(", ")}`;
    graph = prepare(read.graph);
    verify(graph, operators);
    return undefined;
  });
  if (!ok) return { steps, figures };
  const weights = findWeights(graph, network, reference);
  await step("inspect", () => inspect(read.graph, { network, file, weights, figures }));
  await step("run", () => run(engine, { read, graph, image, reference, network, figures }));
  await step("swap", () => checkSwap(engine, { read, graph, image, reference, network, figures }));
  if (network.task !== "detector")
    await step("train", () => {
      const bound = prepare(bindSizes(read.graph, sizesOf(read.graph, image)));
      return checkTraining(engine, { graph: bound, network, reference, figures });
    });
  return { steps, figures };
}

function inspect(graph, { network, file, weights: { found, lacking }, figures }) {
  const cost = costOf(perImage(graph, network.counted));
  const fixed = graph.inputs[0].type.shape[0] === network.batch;
  figures.parameters = cost.parameters;
  figures.macs = typeof cost.macs === "number" && fixed ? cost.macs / network.batch : cost.macs;
  figures.uncounted = cost.uncounted;
  let [folded, own] = [0, 0];
  for (const { form } of found.values()) {
    const size = form.dims.reduce((a, d) => a * d, 1);
    own += size;
    if (form.name.endsWith(".bias/folded")) folded += size;
  }
  figures.folded = folded;
  figures.others = cost.parameters - own;
  figures.fileWeights = own;
  const counted = network.fvcore[file.sizes];
  if (typeof figures.macs !== "number") {
    const why = openMacs(cost, counted, figures);
    if (why) return why;
  }
  if (network.task !== "detector" && counted !== null && figures.macs !== counted)
    return `failed: ${figures.macs} multiply-adds, fvcore counts ${counted}`;
  if (lacking.length > 0)
    return `failed: ${lacking.length} parameters are not in the file in any form: ${lacking.slice(0, 5)}`;
  return undefined;
}

/**
 * A second stage runs once for each box that is left, and how many that are no graph can say. `inspect` has to say which node
 * decides and what each costs; PyTorch's count, of the boxes that it had, has to be that for some whole number of them.
 */
function openMacs({ macs, nodes, open }, counted, figures) {
  const fixed = nodes.reduce((sum, n) => sum + (typeof n.macs === "number" ? n.macs : 0), 0);
  const [{ size, each, from } = {}] = open;
  if (open.length !== 1 || macs !== `${each}·${size}+${fixed}`)
    return `failed: multiply-adds stay open: ${`${macs}`.slice(0, 200)}`;
  figures.macs = `${fixed.toLocaleString("en-US")} + ${each.toLocaleString("en-US")} for each box`;
  figures.decides = from.op;
  if (counted === null) return undefined;
  figures.boxes = (counted - fixed) / each;
  return Number.isInteger(figures.boxes) && figures.boxes > 0
    ? undefined
    : `failed: ${macs} multiply-adds, fvcore counts ${counted}, which no number of boxes gives`;
}

async function outputsOf(engine, model, image) {
  const session = await engine.open(model);
  try {
    return await session.run(new Map([[session.inputs[0], image]]));
  } finally {
    await session.release();
  }
}

/** At least so many of the detections. */
const FOUND = 0.98;

function compareDetections(results, { graph, reference, figures }, key) {
  const got = graph.outputs.map(({ name }) => results.get(name));
  const [want, exact] = ["output", "exact"].map((kind) =>
    graph.outputs.map((_, i) => reference.get(`${kind}.${i}`)),
  );
  const [ours, theirs] = [got[1].size, want[1].size];
  const agrees = (same, found) => theirs > 0 && Math.min(same / theirs, same / Math.max(found, 1)) >= FOUND;
  const own = matched(exact, want);
  figures.exact = `${own} of ${theirs}`;
  if (!agrees(own, exact[1].size))
    return `failed: rounding decides what there is to find: PyTorch in float64 has ${exact[1].size} detections, of which ${own} are among its ${theirs} in float32`;
  const same = matched(got, want);
  figures[key] = `${same} of ${theirs}`;
  return agrees(same, ours)
    ? undefined
    : `failed: ${ours} detections, of which ${same} are among PyTorch's ${theirs} (${key})`;
}

function compare(results, all, key) {
  if (all.network.task === "detector") return compareDetections(results, all, key);
  const { graph, reference, figures } = all;
  let worst = 0;
  for (const [i, { name }] of graph.outputs.entries()) {
    const [got, want] = [results.get(name), reference.get(`output.${i}`)];
    if (!got) return `failed: output ${name} is missing`;
    if (got.dims.join() !== want.dims.join())
      return `failed: output ${name} has shape [${got.dims}], expected [${want.dims}]`;
    worst = Math.max(worst, relative(got.numbers(), want.numbers()));
  }
  figures[key] = worst;
  return worst <= OUTPUTS
    ? undefined
    : `failed: outputs differ by ${worst.toExponential(1)} of their norm (${key})`;
}

/** The file as it is, and our reading of it written again. */
async function run(engine, all) {
  const { read, graph, image } = all;
  const asItIs = compare(await outputsOf(engine, read.runnable, image), all, "asItIs");
  if (asItIs) return asItIs;
  return compare(await outputsOf(engine, lower(graph), image), all, "rewritten");
}

/** All that can be; the file is written, read again, and run. */
async function checkSwap(engine, { read, graph, image, reference, network, figures }) {
  const candidates = matchConvolutions(graph, scconvDefaults);
  const reasons = new Map();
  for (const { reason } of candidates) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  figures.convolutions = candidates.length;
  figures.kept = Object.fromEntries(reasons);
  figures.swapped = candidates.filter((c) => c.swappable).length;
  if (figures.swapped === 0) return undefined;
  const swapped = swap(graph, { layers: "all", seed: 0 });
  if (swapped.units.length !== figures.swapped) return "failed: not all that match were swapped";
  const folder = await mkdtemp(join(tmpdir(), "scconv-exporters-"));
  try {
    const path = join(folder, "swapped.onnx");
    await writeModel(path, modelOf(lower(swapped.graph), read.model));
    const back = await readModel(path);
    for (const side of ["inputs", "outputs"]) {
      if (names(back.graph[side]) !== names(read.graph[side])) return `failed: ${side} are called otherwise`;
    }
    const results = await outputsOf(engine, back.runnable, image);
    for (const [i, { name }] of back.graph.outputs.entries()) {
      const [got, want] = [results.get(name), reference.get(`output.${i}`)];
      // How many boxes there are depends on the values.
      const from = network.task === "detector" ? 1 : 0;
      if (got.dims.slice(from).join() !== want.dims.slice(from).join())
        return `failed: output ${name} of the swapped file has shape [${got.dims}], expected [${want.dims}]`;
      if (!Array.from(got.numbers()).every(Number.isFinite))
        return `failed: output ${name} of the swapped file is not finite`;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return undefined;
}
