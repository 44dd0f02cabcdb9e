// ONNX's own backend cases, forwards and backwards: `npm run conformance -- --cases DIR`; see bench/README.md.
import { fork } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readIndex } from "./cases.mjs";

const { values: flags } = parseArgs({
  options: {
    cases: { type: "string" },
    only: { type: "string" },
    chunk: { type: "string", default: "150" },
    json: { type: "string" },
    page: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});
if (!flags.cases) {
  process.stderr.write("--cases DIR is needed: python bench/conformance/export-cases.py DIR writes them\n");
  process.exit(2);
}
const child = fileURLToPath(new URL("child.mjs", import.meta.url));
const SECONDS = 120;

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
const forward = await check(folders, "forward");
const gradient = await check(folders, "gradient");
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
process.stdout.write(`${chosen.length} cases in ${Math.round((Date.now() - started) / 1000)} s\n`);
