/*
 * npm run bench:large -- [--report FILE] [--folder DIR] [--gib 2.5]
 *
 * Time and peak memory of what the command line does with a model of 2.5 GiB whose weights lie in a file beside it, and
 * with a graph of 100,000 nodes. Each command runs in a process of its own; files go to DIR (default: the system's
 * temporary folder) and are removed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeNpy } from "../dist/cli/npy.js";
import { modelOf } from "../dist/graph/model.js";
import { graphBuilder, Random, Tensor } from "../dist/index.js";
import { writeModel } from "../dist/node.js";
import { writePage } from "./write-page.mjs";

const { values: flags } = parseArgs({
  options: {
    report: { type: "string" },
    folder: { type: "string" },
    gib: { type: "string", default: "2.5" },
  },
});
const folder = mkdtempSync(join(flags.folder ?? tmpdir(), "scconv-large-"));
const at = (name) => join(folder, name);
const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** 3×3 convolutions of 1,024 channels, 36 MiB each, made when they are written. */
async function writeWide(name, sizeGib, external) {
  const b = graphBuilder({ name: "wide" });
  const dims = [1024, 1024, 3, 3];
  const bytes = 1024 * 1024 * 9 * 4;
  let x = b.input("x", "float32", ["N", 1024, 4, 4]);
  for (let i = 0; i < Math.round((sizeGib * 2 ** 30) / bytes); i++) {
    const load = () => {
      const random = new Random(i);
      const row = Float32Array.from({ length: 9216 }, () => random.uniform(-0.01, 0.01));
      const out = new Uint8Array(bytes);
      for (let k = 0; k < 1024; k++) out.set(new Uint8Array(row.buffer), k * row.byteLength);
      return out;
    };
    const w = b.parameter(`conv${i}.weight`, Tensor.lazy("float32", dims, load));
    x = b.add("Relu", [b.add("Conv", [x, w], { pads: [1, 1, 1, 1] }, { name: `conv${i}` })]);
  }
  b.output(x, "y");
  return writeModel(at(name), modelOf(b.build()), { external });
}

async function writeLong() {
  const b = graphBuilder({ name: "long" });
  let x = b.input("x", "float32", ["N", 4, 8, 8]);
  const w = (i) => b.parameter(`w${i}`, Tensor.from("float32", [4, 4, 3, 3], new Array(144).fill(0.1)));
  // A convolution now and then, so that there is something to swap.
  for (let i = 0; i < 100_000; i++)
    x =
      i % 1000 === 0
        ? b.add("Conv", [x, w(i)], { pads: [1, 1, 1, 1] })
        : b.add(["Relu", "Abs", "Tanh"][i % 3], [x]);
  b.output(x, "y");
  return writeModel(at("long.onnx"), modelOf(b.build()));
}

const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));

/** Seconds, and the most memory that the process held (VmHWM, which begins anew with a program; Linux). */
function measure(args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, [cli, ...args, "--threads", "2"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let [peak, anonymous, stderr] = [0, 0, ""];
    child.stderr.on("data", (d) => {
      stderr += d;
    });
    const watch = setInterval(() => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
        peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024 || peak;
        anonymous = Math.max(anonymous, Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
      } catch {
        // It has ended.
      }
    }, 10);
    child.on("exit", (code) => {
      clearInterval(watch);
      if (code !== 0) reject(new Error(`${args.join(" ")}: status ${code}: ${stderr}`));
      else resolve({ seconds: (performance.now() - started) / 1000, peak, anonymous });
    });
  });
}

const rows = [];
async function row(name, size, args, output) {
  const { seconds, peak, anonymous } = await measure(args);
  const written = output
    ? [output, `${output}.data`].reduce((n, f) => n + (statSync(f, { throwIfNoEntry: false })?.size ?? 0), 0)
    : 0;
  rows.push(
    `| \`${name}\` | ${seconds.toFixed(1)} | ${gib(peak)} | ${size ? (peak / size).toFixed(2) : "–"} | ${gib(anonymous)} | ${written ? gib(written) : ""} |`,
  );
  console.log(rows.at(-1));
}

try {
  const wide = await writeWide("wide.onnx", Number(flags.gib), "always");
  writeFileSync(at("x.npy"), encodeNpy(Tensor.from("float32", [1, 1024, 4, 4], new Array(16384).fill(0.5))));
  const head = (what) => [
    "",
    what,
    "",
    "| command | seconds | peak memory | ÷ file | of it not mapped from files | written |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  ];
  rows.push(...head(`A model of ${gib(wide)}, weights in a data file:`));
  await row("inspect", wide, ["inspect", at("wide.onnx"), "--json"]);
  await row(
    "swap --layers conv1 -o OUT",
    wide,
    ["swap", at("wide.onnx"), "--layers", "conv1", "-o", at("one.onnx")],
    at("one.onnx"),
  );
  rmSync(at("one.onnx"));
  rmSync(at("one.onnx.data"));
  await row(
    "swap --layers all -o OUT",
    wide,
    ["swap", at("wide.onnx"), "--layers", "all", "-o", at("all.onnx")],
    at("all.onnx"),
  );
  rmSync(at("all.onnx"));
  await row("run", wide, ["run", at("wide.onnx"), "--input", at("x.npy"), "--json"]);
  rmSync(at("wide.onnx.data"));
  const single = await writeWide("single.onnx", 1.5, "auto");
  rows.push(...head(`A model of ${gib(single)} in one file:`));
  await row("inspect", single, ["inspect", at("single.onnx"), "--json"]);
  await row(
    "swap --layers conv1 -o OUT",
    single,
    ["swap", at("single.onnx"), "--layers", "conv1", "-o", at("one.onnx")],
    at("one.onnx"),
  );
  rmSync(at("one.onnx"));
  await row("run", single, ["run", at("single.onnx"), "--input", at("x.npy"), "--json"]);
  rmSync(at("single.onnx"));
  const long = await writeLong();
  rows.push(...head(`A graph of 100,000 nodes (${(long / 2 ** 20).toFixed(1)} MiB):`));
  await row("inspect", undefined, ["inspect", at("long.onnx"), "--json"]);
  await row(
    "swap --layers all -o OUT",
    undefined,
    ["swap", at("long.onnx"), "--layers", "all", "-o", at("swapped.onnx")],
    at("swapped.onnx"),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (flags.report) {
  const about = `node ${process.version}, ${cpus()[0]?.model ?? "?"}, 2 threads, ${new Date().toISOString().slice(0, 10)}`;
  await writePage(
    flags.report,
    `# Large models\n\nGenerated by \`npm run bench:large -- --report ${flags.report}\` (${about}).\n${rows.join("\n")}\n`,
  );
}
