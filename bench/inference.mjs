// Inference of a network with SCConv beside the standard one and beside PyTorch, interleaved in one run: see bench/README.md.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine } from "../dist/host/node/machine.js";
import { median, Peer, torchEnvironment } from "./peers/peer.mjs";

const { values: flags } = parseArgs({
  options: {
    python: { type: "string" },
    network: { type: "string", default: "resnet50" },
    rounds: { type: "string", default: "15" },
    // Threads × batch.
    settings: { type: "string" },
    compile: { type: "boolean", default: false },
    tfjs: { type: "string" },
    json: { type: "string" },
  },
});
const networks = {
  resnet20: { size: 32, classes: 10, settings: "2x128,1x128" },
  resnet50: { size: 224, classes: 1000, settings: "2x1,2x8,1x1,1x8" },
};
if (!Object.hasOwn(networks, flags.network)) {
  throw new Error(`--network: need one of ${Object.keys(networks).join(", ")}`);
}
const { size, classes, settings: usual } = networks[flags.network];
const rounds = Number(flags.rounds);
const settings = (flags.settings ?? usual).split(",").map((s) => {
  const [threads, batch] = s.split("x").map(Number);
  if (!(threads > 0 && batch > 0)) throw new Error(`--settings: not THREADSxBATCH: ${s}`);
  return { threads, batch };
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const note = (text) => process.stderr.write(`${text}\n`);
/** The engines' threads go on spinning for a while after a run; the next turn is not to share its cores with them. */
const PAUSE_MS = 80;

const variants = [
  { name: "standard", conv: "standard", write: true },
  { name: "SCConv", conv: "scconv", write: true },
  { name: "SCConv, `--scope channel`", conv: "scconv", settings: { scope: "channel" } },
];
if (flags.python) {
  for (const layout of ["NCHW", "channels-last"]) {
    for (const [name, conv] of [
      ["standard", "standard"],
      ["SCConv", "scconv"],
    ]) {
      variants.push({ name: `PyTorch ${layout}, ${name}`, conv, layout });
      // Only this one: what is compiled brings the other layout to it, and is slower.
      if (flags.compile && layout === "channels-last")
        variants.push({ name: `torch.compile, ${name}`, conv, layout, compile: true });
    }
  }
}
if (flags.tfjs) {
  if (flags.network !== "resnet20") throw new Error("--tfjs: is for --network resnet20");
  // Not its plain backend (`cpu`): 11 s for a batch that takes the others 0.04 to 0.5 s.
  variants.push({ name: "tfjs wasm, standard", conv: "standard", backend: "wasm", within: 1e-3 });
}

async function open(variant, { threads, batch }, folder) {
  const { name, conv, layout, compile, backend } = variant;
  const file = join(folder, `${conv}.safetensors`);
  const job = { network: flags.network, size, classes, conv, batch, threads, file };
  const peer = backend
    ? new Peer(name, process.execPath, [here("peers/tfjs-inference.mjs"), flags.tfjs])
    : layout
      ? new Peer(name, flags.python, [here("peers/torch_inference.py")], torchEnvironment(threads))
      : new Peer(name, process.execPath, [here("peers/scconv-inference.mjs")]);
  peer.info = await peer.ask({
    ...job,
    ...{ layout, compile, backend, settings: variant.settings ?? {}, write: variant.write },
  });
  return peer;
}

/** ‖a − b‖ / ‖b‖ of the first image's logits. */
function distance(a, b) {
  const norm = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  return norm(a.map((x, i) => x - b[i])) / norm(b);
}

async function compare(setting, folder) {
  note(`${setting.threads} threads, batch ${setting.batch}`);
  const peers = [];
  const able = [];
  const failed = [];
  try {
    for (const variant of variants) {
      const peer = await open(variant, setting, folder);
      const { failed: reason, versions } = peer.info;
      if (reason) {
        note(`  ${variant.name}: ${reason}`);
        failed.push({ name: variant.name, failed: reason, versions });
        continue;
      }
      peers.push(peer);
      able.push(variant);
    }
    const first = [];
    for (const peer of peers) first.push((await peer.ask({ steps: 2 })).logits);
    // The same networks: PyTorch's logits are ours.
    const differences = able.map((v, i) => {
      const ours = able.findIndex((o) => o.conv === v.conv && o.write);
      return v.settings ? 0 : distance(first[i], first[ours]);
    });
    if (differences.some((d, i) => !(d < (able[i].within ?? 1e-2))))
      throw new Error(`not the same networks: logits differ by ${differences.join(", ")}`);
    const times = peers.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < peers.length; k++) {
        const i = (k + round) % peers.length;
        await setTimeout(PAUSE_MS);
        await peers[i].ask({ steps: 1 });
        const steps = setting.batch === 1 ? 3 : 1;
        times[i].push(((await peers[i].ask({ steps })).seconds * 1000) / steps);
      }
      note(`  round ${round + 1}/${rounds}: ${times.map((t) => t[round].toFixed(1)).join(", ")} ms`);
    }
    const rows = [];
    for (const [i, peer] of peers.entries()) {
      const ratioTo = (j) => median(times[i].map((t, r) => t / times[j][r]));
      rows.push({
        name: peer.name,
        ms: median(times[i]),
        ratio: ratioTo(0),
        // Of our SCConv to this one.
        oursToThis: able[i].layout || able[i].backend ? 1 / ratioTo(1) : undefined,
        peakRssMb: await peer.peakRssMb(),
        difference: differences[i],
        versions: peer.info.versions,
        threads: peer.info.threads,
        compileSeconds: peer.info.compileSeconds,
      });
    }
    return { ...setting, rows: [...rows, ...failed] };
  } finally {
    for (const peer of peers) peer.stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), "scconv-bench-"));
try {
  const results = [];
  const document = {
    ...{ kind: "inference", network: flags.network, size, rounds, date: new Date().toISOString() },
    // Not of all usual settings: a table of its own on the page.
    partial: flags.settings !== undefined,
    ...{ machine: machine(), results },
  };
  for (const setting of settings) {
    results.push(await compare(setting, folder));
    // After every setting: a run that is cut short keeps what it has.
    if (flags.json) await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  for (const { threads, batch, rows } of results) {
    process.stdout.write(`\n${flags.network}, ${size}×${size}, ${threads} threads, batch ${batch}\n`);
    for (const { name, failed, ms, ratio, peakRssMb } of rows)
      process.stdout.write(
        `  ${name.padEnd(34)} ${failed ?? `${ms.toFixed(1)} ms  ×${ratio.toFixed(3)}  ${peakRssMb} MiB`}\n`,
      );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
