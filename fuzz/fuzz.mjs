/*
 * npm run fuzz -- [--minutes N] [--target onnx|safetensors|npy] [--engine] [--seed N] [--report FILE] [--replay FILE]
 *
 * Coverage-guided fuzzing of what reads files from strangers. A child process mutates and runs; it has limits of memory and
 * time for each input, and is replaced when it dies. What was found lies in .fuzz/findings, inputs that reached new code in
 * .fuzz/corpus, from where the next run goes on. Ends with status 1 when there is a find.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    target: { type: "string" },
    engine: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    report: { type: "string" },
    replay: { type: "string" },
  },
});
const limits = { rssMiB: 1536, heapMiB: 1024, hangSeconds: 10, slowSeconds: 2, recycleMiB: 900 };
const folder = fileURLToPath(new URL("../.fuzz", import.meta.url));
const findings = new Map();
const total = { inputs: 0, accepted: 0, restarts: 0, corpus: 0, blocks: 0, outcomes: 0 };
mkdirSync(join(folder, "findings"), { recursive: true });

if (flags.replay) {
  const { targets } = await import("./targets.mjs");
  console.log(await targets[flags.target ?? "onnx"](readFileSync(flags.replay), { engine: flags.engine }));
  process.exit(0);
}

/** Where it broke, without what differs from input to input: finds of one cause are one find. */
const causeOf = (stack) =>
  stack
    .split("\n")
    .filter((l) => /^\s+at /.test(l))
    .slice(0, 3)
    .join("\n")
    .replace(/file:\/\/\S*\/dist\//g, "") || stack.slice(0, 200);

function find(what, kind, bytes, stack) {
  const cause = `${what} ${causeOf(stack)}`;
  const known = findings.get(cause);
  if (known) {
    known.count++;
    return;
  }
  const name = `${what}-${createHash("sha256").update(cause).digest("hex").slice(0, 10)}`;
  writeFileSync(join(folder, "findings", `${name}.bin`), bytes);
  writeFileSync(join(folder, "findings", `${name}.txt`), `${kind}\n${stack}\n`);
  findings.set(cause, { what, kind, name, count: 1, first: stack.split("\n")[0] });
  console.error(`${what}: .fuzz/findings/${name}.bin  ${stack.split("\n")[0].slice(0, 160)}`);
}

/** Seconds of processor time and MiB of memory of a process, where the system tells. */
function usageOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
    return { cpu: (Number(stat[11]) + Number(stat[12])) / 100, rss: (Number(stat[21]) * 4096) / 2 ** 20 };
  } catch {
    return undefined;
  }
}

const started = Date.now();
const until = started + Number(flags.minutes) * 60_000;
let peakMiB = 0;

/** One child, until it ends or the time is over. */
function session(seed) {
  return new Promise((resolve) => {
    const job = { folder, target: flags.target, seed, engine: flags.engine, slowSeconds: limits.slowSeconds };
    const child = fork(fileURLToPath(new URL("./child.mjs", import.meta.url)), [JSON.stringify(job)], {
      execArgv: [`--max-old-space-size=${limits.heapMiB}`],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    let own = { inputs: 0, accepted: 0 };
    let heard = { at: Date.now(), cpu: 0 };
    let ended;
    const end = (why) => {
      ended ??= why;
      child.kill("SIGKILL");
    };
    child.on("message", (m) => {
      heard = { at: Date.now(), cpu: usageOf(child.pid)?.cpu ?? 0 };
      if (m.what === "crash" || m.what === "slow")
        find(m.what, m.kind, Buffer.from(m.bytes, "base64"), m.stack);
      else if (m.what === "progress") {
        own = m;
        for (const key of ["corpus", "blocks", "outcomes"]) total[key] = Math.max(total[key], m[key]);
      }
    });
    const watch = setInterval(() => {
      const now = usageOf(child.pid);
      if (!now) return;
      peakMiB = Math.max(peakMiB, now.rss);
      if (now.rss > limits.rssMiB) end("memory");
      else if (now.cpu - heard.cpu > limits.hangSeconds) end("hang");
      else if (now.rss > limits.recycleMiB) end("recycle");
      else if (Date.now() > until) end("over");
    }, 100);
    child.on("exit", (code, signal) => {
      clearInterval(watch);
      total.inputs += own.inputs;
      total.accepted += own.accepted;
      if (ended === "memory" || ended === "hang" || ended === undefined) {
        const why = ended === undefined ? `the process ended by itself: ${signal ?? code}` : ended;
        find(ended ?? "death", "?", readFileSync(join(folder, "current")), why);
      }
      resolve(ended);
    });
  });
}

for (let seed = Number(flags.seed); Date.now() < until; seed++) {
  await session(seed);
  total.restarts++;
}

const seconds = (Date.now() - started) / 1000;
const count = (what) => [...findings.values()].filter((f) => f.what === what).length;
const lines = [
  `${total.inputs.toLocaleString("en")} inputs in ${Math.round(seconds)} s (${Math.round(total.inputs / seconds)} a second), of which ${total.accepted.toLocaleString("en")} were accepted`,
  `corpus ${total.corpus} · blocks of code ${total.blocks} · outcomes ${total.outcomes} · processes ${total.restarts} · peak memory ${Math.round(peakMiB)} MiB`,
  `crashes ${count("crash")} · deaths of the process ${count("death")} · hangs (over ${limits.hangSeconds} s) ${count("hang")} · slow (over ${limits.slowSeconds} s) ${count("slow")} · over-use of memory (over ${limits.rssMiB} MiB) ${count("memory")}`,
];
console.log(lines.join("\n"));
for (const f of findings.values()) console.log(`${f.what} ×${f.count} ${f.name}: ${f.first.slice(0, 200)}`);
if (flags.report) {
  const about = `node ${process.version}, ${cpus()[0]?.model ?? "?"}, ${new Date().toISOString().slice(0, 10)}, seed ${flags.seed}${flags.engine ? ", with the engine" : ""}`;
  writeFileSync(
    flags.report,
    `# Fuzzing\n\nGenerated by \`npm run fuzz -- --minutes ${flags.minutes}${flags.engine ? " --engine" : ""} --report ${flags.report}\` (${about}).\n\n${lines.map((l) => `- ${l}`).join("\n")}\n`,
  );
}
process.exit(findings.size > 0 ? 1 : 0);
