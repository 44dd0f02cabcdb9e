// `scconv swap --layers auto`, by one command: what it predicts and what the whole network takes then; see bench/README.md.
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { encodeModel } from "../dist/graph/codec.js";
import { modelOf } from "../dist/graph/model.js";
import { machine } from "../dist/host/node/machine.js";
import { deploy } from "../dist/optimise/index.js";
import { architecture } from "../dist/zoo/index.js";

const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "2" }, json: { type: "string" } },
});
const networks = [
  // Threads × batch.
  { network: "resnet50", size: 224, classes: 1000, settings: ["2x1", "2x8", "1x1", "1x8"] },
  { network: "resnet20", size: 32, classes: 10, settings: ["2x128", "1x128", "2x1"] },
];
const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const run = promisify(execFile);

/** Of one `swap`: the plan, or why there is none. */
async function plan(model, { threads, batch }, work) {
  const args = ["swap", model, "--layers", "auto", "--latency-batch", batch, "--threads", threads, "--json"];
  const started = performance.now();
  const result = await run(process.execPath, [cli, ...args, "-o", join(work, "out.onnx"), "--force"], {
    maxBuffer: 2 ** 26,
  }).then(
    ({ stdout }) => {
      const { predicted, measured, totalMs, layers } = JSON.parse(stdout).plan;
      const swapped = layers.filter((l) => l.chosen !== undefined).length;
      return { predicted, measured, totalMs, swapped, of: layers.length };
    },
    (error) => {
      const text = /^scconv: .*$/m.exec(error.stderr ?? "")?.[0];
      if (!text?.includes("no swap makes this model faster")) throw error;
      return { refused: text };
    },
  );
  return { ...result, seconds: (performance.now() - started) / 1000 };
}

// Settings that an earlier call came through, of the same code on the same machine, stay: all of them take half an hour.
const head = {
  ...{ kind: "planner", runs: Number(flags.runs), machine: machine() },
  // The last commit that changed the product.
  commit: execFileSync("git", ["log", "-1", "--format=%h", "--", "src"], { encoding: "utf8" }).trim(),
};
const earlier = flags.json && JSON.parse(await readFile(flags.json, "utf8").catch(() => "null"));
const same = (doc) => Object.entries(head).every(([k, v]) => JSON.stringify(doc[k]) === JSON.stringify(v));
const document =
  earlier && same(earlier) ? earlier : { ...head, date: new Date().toISOString(), results: [] };
const work = await mkdtemp(join(tmpdir(), "scconv-planner-"));
try {
  for (const { network, size, classes, settings } of networks) {
    const model = join(work, `${network}.onnx`);
    const graph = architecture(network)({ classes, channels: 3, size, seed: 0 });
    await writeFile(model, encodeModel(modelOf(deploy(graph))));
    for (const setting of settings) {
      const [threads, batch] = setting.split("x");
      const isThis = (r) => r.network === network && `${r.threads}x${r.batch}` === setting;
      if (document.results.some(isThis)) continue;
      const runs = [];
      for (let i = 0; i < document.runs; i++) {
        runs.push(await plan(model, { threads, batch }, work));
        process.stderr.write(`${network} ${setting}: ${JSON.stringify(runs.at(-1))}\n`);
      }
      document.results.push({ network, size, threads: Number(threads), batch: Number(batch), runs });
      if (flags.json) await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
    }
  }
} finally {
  await rm(work, { recursive: true, force: true });
}
