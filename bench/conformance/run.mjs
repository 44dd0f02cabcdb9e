// ONNX's own backend cases, forwards and backwards: `npm run conformance -- --cases DIR`; see bench/README.md.
import { fork } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nodeEngine } from "../../dist/node.js";
import { writePage } from "../write-page.mjs";
import { readIndex } from "./cases.mjs";
import { page, unexplained } from "./page.mjs";
import { unusedReasons } from "./reasons.mjs";

const { values: flags } = parseArgs({
  options: {
    cases: { type: "string" },
    only: { type: "string" },
    chunk: { type: "string", default: "150" },
    json: { type: "string" },
    from: { type: "string" },
    page: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
if (!flags.cases) {
  process.stderr.write("--cases DIR is needed: python bench/conformance/export-cases.py DIR writes them\n");
  process.exit(2);
}
const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const SECONDS = 600;

/** Every case through child processes of `chunk` cases each; a case on which one dies or hangs is failed. */
async function check(folders, what) {
  const results = new Map();
  const waiting = [...folders];
  while (waiting.length > 0) await oneChild(waiting, Number(flags.chunk), what, results);
  return results;
}

function oneChild(waiting, most, what, results) {
  return new Promise((resolve) => {
    const process_ = fork(child, [flags.cases, what], { execArgv: ["--max-old-space-size=3000"] });
    let current;
    let left = most;
    let timer;
    const next = () => {
      clearTimeout(timer);
      current = left-- > 0 ? waiting.shift() : undefined;
      if (current === undefined) return process_.kill();
      timer = setTimeout(() => process_.kill("SIGKILL"), SECONDS * 1000);
      process_.send(current);
    };
    process_.on("message", ({ folder, result }) => {
      results.set(folder, result);
      current = undefined;
      next();
    });
    process_.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (current !== undefined)
        results.set(current, { read: `failed: the process ended (${signal ?? code})` });
      resolve();
    });
    next();
  });
}

const index = await readIndex(flags.cases);
const chosen = index.cases.filter((c) => !flags.only || new RegExp(flags.only).test(c.folder));
const folders = chosen.map((c) => c.folder);
const started = Date.now();
// Results of an earlier run (--json) are only told again.
const before = flags.from && JSON.parse(await readFile(flags.from, "utf8"));
const forward = before ? new Map(Object.entries(before.forward)) : await check(folders, "forward");
const gradient = before ? new Map(Object.entries(before.gradient)) : await check(folders, "gradient");
const whole = chosen.length === index.cases.length;
const wrong = unexplained({ ...index, cases: chosen }, forward, gradient);
// What a part of the cases does not need, the others may.
const stale = whole ? unusedReasons().map((r) => `a reason that no case needs any more: ${r}`) : [];
if (flags.verbose) {
  for (const [what, results] of Object.entries({ forward, gradient })) {
    for (const [folder, steps] of results) {
      const bad = Object.entries(steps).filter(
        ([, s]) => typeof s === "string" && !/^(passed|moved|flat)$/.test(s),
      );
      for (const [step, s] of bad) process.stdout.write(`${what} ${folder} ${step} ${s}\n`);
    }
  }
}
if (flags.json) {
  const document = { forward: Object.fromEntries(forward), gradient: Object.fromEntries(gradient) };
  await writeFile(flags.json, JSON.stringify(document, undefined, 1));
}
if (flags.page) {
  await writePage(flags.page, page(index, forward, gradient, nodeEngine().runtime));
}
const seconds = Math.round((Date.now() - started) / 1000);
process.stdout.write(`${chosen.length} cases in ${seconds} s, ${wrong.length} failures without a reason\n`);
for (const line of [...wrong, ...stale]) process.stdout.write(`${line}\n`);
process.exitCode = wrong.length + stale.length > 0 ? 1 : 0;
