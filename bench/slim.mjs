// `scconv slim` of two builds of this project, in turn, by one command: see bench/README.md.
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "../dist/host/node/machine.js";
import { jsonOf } from "./peers/json-of.mjs";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    before: { type: "string" },
    now: { type: "string", default: "." },
    data: { type: "string" },
    /** What `slim` is told beside model, data and output. */
    flags: { type: "string", default: "--layers second --limit 5000 --epochs 1" },
    rounds: { type: "string", default: "2" },
    json: { type: "string" },
  },
});
const [model] = positionals;
if (!(model && flags.before && flags.data && flags.json))
  throw new Error("need MODEL.onnx --before FOLDER --data DATA --json FILE");
const builds = ["before", "now"].map((name) => {
  const folder = resolve(flags[name]);
  const git = (...args) => execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" }).trim();
  // The last one that changed the product.
  const [commit, date, subject] = git("log", "-1", "--format=%h%n%cs%n%s", "--", "src").split("\n");
  return { name, folder, commit, date, subject };
});

/** Seconds of everything, from the start of the process to its end. */
async function slim({ folder }, work) {
  const out = join(work, "slim.onnx");
  const args = [
    "slim",
    resolve(model),
    "--data",
    resolve(flags.data),
    ...flags.flags.split(" ").filter(Boolean),
  ];
  const started = performance.now();
  const { top1, ratio, parameters, macs } = await jsonOf(process.execPath, [
    ...[join(folder, "dist/cli/main.js"), ...args, "-o", out, "--report", join(work, "report")],
    ...["--force", "--quiet", "--json"],
  ]);
  return { seconds: (performance.now() - started) / 1000, top1, ratio, parameters, macs, load: loadavg()[0] };
}

// Rounds of an earlier call stay: a busy machine is measured in short sittings.
const same = (doc) => doc.flags === flags.flags && builds.every((b, i) => b.commit === doc.builds[i].commit);
const earlier = JSON.parse(await readFile(flags.json, "utf8").catch(() => "null"));
const document =
  earlier && same(earlier)
    ? earlier
    : {
        ...{ kind: "slim", model: basename(model), flags: flags.flags, date: new Date().toISOString() },
        machine: machine(),
        builds: builds.map(({ name, commit, date, subject }) => ({ name, commit, date, subject })),
        rounds: [],
      };
const work = await mkdtemp(join(tmpdir(), "scconv-slim-"));
try {
  for (let round = 0; round < Number(flags.rounds); round++) {
    const results = {};
    // From another one each time.
    const order = document.rounds.length % 2 ? builds.toReversed() : builds;
    for (const build of order) {
      results[build.name] = await slim(build, work);
      process.stdout.write(`${build.name} (${build.commit}): ${JSON.stringify(results[build.name])}\n`);
    }
    document.rounds.push(results);
    await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
  }
} finally {
  await rm(work, { recursive: true, force: true });
}
