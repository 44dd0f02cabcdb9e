// SCConv by `scconv slim` beside channel pruning by Torch-Pruning at the same multiply-adds: see bench/README.md.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine } from "../dist/host/node/machine.js";
import { jsonOf } from "./peers/json-of.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    "torch-pruning": { type: "string" },
    data: { type: "string" },
    out: { type: "string" },
    layers: { type: "string", default: "second,all" },
    epochs: { type: "string", default: "4" },
    limit: { type: "string" },
    normalize: { type: "string", default: "imagenet" },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "30" },
    /** Training may share the machine with others, latency may not. */
    only: { type: "string", default: "slim,prune,accuracy,latency" },
    json: { type: "string" },
  },
});
const [model] = positionals;
if (!(model && flags.data && flags.out && flags.json))
  throw new Error("need MODEL.onnx --data DATA --out FOLDER --json FILE");
const only = flags.only.split(",");
const known = ["slim", "prune", "accuracy", "latency"];
if (!only.every((o) => known.includes(o))) throw new Error(`--only: need some of ${known.join(", ")}`);
if (only.includes("prune") && !(flags.python && flags["torch-pruning"]))
  throw new Error("need --python PYTHON --torch-pruning FOLDER, which has the package torch_pruning");
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const scconv = (...args) =>
  jsonOf(process.execPath, [here("../dist/cli/main.js"), ...args, "--json", "--threads", flags.threads]);
const data = ["--data", flags.data, "--normalize", flags.normalize];
const limit = flags.limit ? ["--limit", flags.limit] : [];

const files = (layers) => {
  const file = (name) => join(flags.out, `${name}-${layers}.onnx`);
  return { slimmed: file("scconv"), pruned: file("pruned") };
};

function prune(macs, out, epochs) {
  const args = [here("peers/prune_channels.py"), model, ...data, ...limit, "--epochs", `${epochs}`];
  return jsonOf(flags.python, [...args, "--macs", `${macs}`, "--out", out, "--threads", flags.threads], {
    env: {
      PYTHONPATH: [flags["torch-pruning"], process.env.PYTHONPATH].filter(Boolean).join(delimiter),
      OMP_NUM_THREADS: flags.threads,
    },
  });
}

/** A stage adds to what is known of one operating point; each can be run alone, in any later call. */
const stages = {
  async slim({ layers }) {
    const report = join(flags.out, `report-${layers}`);
    const how = [...data, ...limit, "--epochs", flags.epochs, "--layers", layers, "--report", report];
    await scconv("slim", model, ...how, "-o", files(layers).slimmed, "--force");
    const text = await readFile(join(report, "report.json"), "utf8");
    const { parameters, macs, epochs, seconds, calibratedTop1 } = JSON.parse(text);
    return { ours: { parameters, macs, epochs: epochs.length, seconds, before: calibratedTop1 } };
  },
  async prune({ layers, ours }) {
    if (!ours)
      throw new Error(`${flags.json} has no slim of --layers ${layers} to prune beside: --only slim,prune`);
    return { theirs: await prune(ours.macs[1], files(layers).pruned, Number(flags.epochs)) };
  },
  /** Of the files that were written, by one engine and one reader of images for all. */
  async accuracy({ layers }) {
    const top1 = async (file) => (await scconv("eval", file, ...data, ...limit)).top1;
    const { slimmed, pruned } = files(layers);
    const [original, ours, theirs] = [await top1(model), await top1(slimmed), await top1(pruned)];
    return { top1: { original, ours, theirs } };
  },
  async latency({ layers }) {
    const { slimmed, pruned } = files(layers);
    const runs = [];
    for (const batch of ["1", "8", "128"])
      runs.push(await scconv("bench", model, slimmed, pruned, "--batch", batch, "--runs", flags.runs));
    return { latency: runs };
  },
};

await mkdir(flags.out, { recursive: true });
const { layers, epochs, normalize } = flags;
const document = JSON.parse(await readFile(flags.json, "utf8").catch(() => "null")) ?? {
  ...{ kind: "pruning", model: basename(model), epochs: Number(epochs), normalize },
  ...{ date: new Date().toISOString(), machine: machine(), results: [] },
};
for (const point of layers.split(",")) {
  const result = document.results.find((r) => r.layers === point) ?? { layers: point };
  if (!document.results.includes(result)) document.results.push(result);
  for (const stage of only) {
    Object.assign(result, await stages[stage](result));
    await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  process.stdout.write(`${point}: top-1 ${JSON.stringify(result.top1)}\n`);
  for (const { batch, ratios } of result.latency ?? [])
    process.stdout.write(`  batch ${batch}, time over the original's: ${ratios.join(", ")}\n`);
}
