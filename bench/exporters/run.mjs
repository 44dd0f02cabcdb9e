// Networks of torchvision and timm, as PyTorch's exporters write them: `npm run exporters -- --models DIR`; see bench/README.md.
import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeEngine } from "../../dist/node.js";
import { writePage } from "../write-page.mjs";
import { readNetworks } from "./files.mjs";
import { page, unexplained } from "./page.mjs";
import { unusedReasons } from "./reasons.mjs";
import { readRecord, recordText, summary } from "./record.mjs";

const { values: flags } = parseArgs({
  options: {
    models: { type: "string" },
    only: { type: "string" },
    json: { type: "string" },
    from: { type: "string" },
    page: { type: "string" },
    seconds: { type: "string", default: "600" },
    mebibytes: { type: "string", default: "6144" },
  },
});
if (!flags.models && !flags.from) {
  process.stderr.write(
    "--models DIR is needed (python bench/exporters/export-models.py DIR writes them), or --from FILE\n",
  );
  process.exit(2);
}
const child = fileURLToPath(new URL("child.mjs", import.meta.url));

/** Resident memory of a process in MiB, where the system tells. */
function residentMiB(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** One file in a process of its own, which is ended where it takes too long or too much. */
function check(network, file) {
  return new Promise((resolve) => {
    const worker = fork(child, [], { execArgv: ["--max-old-space-size=4096"] });
    let ended = "";
    let peak = 0;
    const started = Date.now();
    const end = (why) => {
      ended = why;
      worker.kill("SIGKILL");
    };
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMiB(worker.pid));
      if (peak > Number(flags.mebibytes)) end(`more than ${flags.mebibytes} MiB`);
      else if (Date.now() - started > Number(flags.seconds) * 1000) end(`more than ${flags.seconds} s`);
    }, 200);
    let result;
    worker.on("message", (message) => {
      result = message;
      worker.kill();
    });
    worker.on("exit", (code, signal) => {
      clearInterval(watch);
      const dead = { steps: { read: `failed: the process ended (${ended || signal || code})` }, figures: {} };
      resolve({
        ...(result ?? dead),
        seconds: Math.round((Date.now() - started) / 1000),
        mebibytes: Math.round(peak),
      });
    });
    worker.send({ root: flags.models, network, file });
  });
}

const only = new RegExp(`^(?:${flags.only ?? ".*"})$`);
const chosen = (flags.models ? await readNetworks(flags.models) : []).filter((n) => only.test(n.name));
// What an earlier run found stays, but for the networks that are checked now.
const record = await readRecord(flags.from);
const { networks, results } = record;
for (const network of chosen) {
  for (const file of network.files) {
    if (file.error) continue;
    const key = `${network.name} ${file.exporter}-${file.opset}`;
    const result = await check(network, file);
    results.set(key, result);
    const bad = Object.entries(result.steps).filter(([, s]) => s !== "passed");
    process.stdout.write(`${key}: ${result.seconds} s, ${result.mebibytes} MiB\n`);
    for (const [step, text] of bad) process.stdout.write(`  ${step} ${text}\n`);
  }
  networks.set(network.name, summary(network, results));
  if (flags.json) await writeFile(flags.json, recordText(record));
}
const told = [...networks.values()];
const wrong = unexplained(told, results);
const whole = flags.from !== undefined || flags.only === undefined;
const stale = whole ? unusedReasons().map((r) => `a reason that no file needs any more: ${r}`) : [];
if (flags.page) {
  await writePage(flags.page, page(told, record, nodeEngine().runtime));
}
process.stdout.write(`${told.length} networks, ${wrong.length} failures without a reason\n`);
for (const line of [...wrong, ...stale]) process.stdout.write(`${line}\n`);
process.exitCode = wrong.length + stale.length > 0 ? 1 : 0;
