// Training rate of a network, ours beside PyTorch's, interleaved in one run: see bench/README.md.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { machine } from "../dist/host/node/machine.js";
import { median, Peer, torchEnvironment } from "./peers/peer.mjs";

const { values: flags } = parseArgs({
  options: {
    python: { type: "string" },
    network: { type: "string", default: "resnet20" },
    rounds: { type: "string", default: "7" },
    steps: { type: "string", default: "4" },
    batch: { type: "string" },
    threads: { type: "string", default: "2" },
    conv: { type: "string", default: "standard,scconv" },
    checkpoints: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
/**
 * What is trained: image size, classes, and the batch of its paper or what fits the memory of a small machine. The learning
 * rate is such that the first losses of peers that round differently stay together: at 0.01 ResNet-50 falls from 7.1 to 3.0
 * in three steps, and PyTorch's own two layouts come apart by more than a per cent.
 */
const networks = {
  resnet20: { title: "ResNet-20", size: 32, classes: 10, batch: 128, learningRate: 0.01 },
  resnet50: { title: "ResNet-50", size: 224, classes: 1000, batch: 16, learningRate: 0.0001 },
};
if (!Object.hasOwn(networks, flags.network)) {
  throw new Error(`--network: need one of ${Object.keys(networks).join(", ")}`);
}
const { title, size, classes, learningRate, ...defaults } = networks[flags.network];
flags.batch ??= `${defaults.batch}`;
const [rounds, steps, batch, threads] = ["rounds", "steps", "batch", "threads"].map((name) => {
  const n = Number(flags[name]);
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`--${name}: need a whole number from 1`);
  return n;
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const note = (text) => process.stderr.write(`${text}\n`);

/** Ours first: it writes what the others start from. */
async function peersOf(conv, folder) {
  const job = {
    ...{ network: flags.network, size, classes, conv },
    batch,
    threads,
    learningRate,
    file: join(folder, `${conv}.safetensors`),
  };
  const ours = new Peer("scconv", process.execPath, [here("peers/scconv-training.mjs")]);
  const all = [ours];
  try {
    ours.info = await ours.ask(job);
    const variants = { elementwise: "elementwise again", blocks: "blocks again" };
    for (const [recompute, name] of flags.checkpoints ? Object.entries(variants) : []) {
      const again = new Peer(`scconv, ${name}`, process.execPath, [here("peers/scconv-training.mjs")]);
      all.push(again);
      again.info = await again.ask({ ...job, recompute });
    }
    for (const layout of flags.python ? ["NCHW", "channels-last"] : []) {
      const args = [here("peers/torch_training.py")];
      const torch = new Peer(`PyTorch ${layout}`, flags.python, args, torchEnvironment(threads));
      all.push(torch);
      torch.info = await torch.ask({ ...job, layout });
    }
    return all;
  } catch (error) {
    for (const peer of all) peer.stop();
    throw error;
  }
}

/** The first steps of all from the same weights and images: are these the same networks, trained alike? */
async function sameLosses(peers) {
  const losses = [];
  for (const peer of peers) losses.push((await peer.ask({ steps: 3 })).losses);
  const worst = losses.map((own) =>
    Math.max(...own.map((l, i) => Math.abs(l - losses[0][i]) / losses[0][i])),
  );
  const { size } = new Set(peers.map((p) => p.info.parameters));
  if (size !== 1 || worst.some((w) => !(w < 0.01))) {
    throw new Error(`the peers do not train the same network: losses ${JSON.stringify(losses)}`);
  }
  return Math.max(...worst);
}

/** Every peer in turn, round after round, in alternating order; one step to have caches and threads back, then K timed. */
async function measure(peers) {
  const rates = new Map(peers.map((p) => [p, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 ? [...peers].reverse() : peers) {
      await peer.ask({ steps: 1 });
      const { seconds } = await peer.ask({ steps });
      rates.get(peer).push((steps * batch) / seconds);
    }
    note(
      `  round ${round + 1}/${rounds}: ${peers.map((p) => Math.round(rates.get(p)[round])).join(", ")} images/s`,
    );
  }
  return rates;
}

async function compare(conv, folder) {
  note(`${conv}:`);
  const peers = await peersOf(conv, folder);
  try {
    const lossDifference = await sameLosses(peers);
    const rates = await measure(peers);
    const [ours] = peers;
    const rows = [];
    for (const peer of peers) {
      const own = rates.get(peer);
      // Ours over this one, round by round: what slows the whole machine for a while slows both.
      const ratios = own.map((rate, i) => rates.get(ours)[i] / rate);
      rows.push({
        ...{ peer: peer.name, imagesPerSecond: median(own), low: Math.min(...own), high: Math.max(...own) },
        ...{ ratio: median(ratios), peakRssMb: await peer.peakRssMb(), rounds: own },
        versions: peer.info.versions,
      });
    }
    return { conv, parameters: peers[0].info.parameters, lossDifference, rows };
  } finally {
    for (const peer of peers) peer.stop();
  }
}

const folder = await mkdtemp(join(tmpdir(), "scconv-bench-"));
try {
  const results = [];
  for (const conv of flags.conv.split(",")) results.push(await compare(conv, folder));
  const setting = { network: flags.network, size, batch, threads, rounds, steps };
  const document = { ...setting, date: new Date().toISOString(), machine: machine(), results };
  const head = ["blocks", "", "images/s", "range", "ours ÷ this", "peak MiB"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { conv, rows } of results) {
    for (const r of rows) {
      const range = `${Math.round(r.low)}–${Math.round(r.high)}`;
      const figures = [Math.round(r.imagesPerSecond), range, r.ratio.toFixed(2), r.peakRssMb ?? "?"];
      table.push([conv, r.peer, ...figures]);
    }
  }
  const versions = new Map(results.flatMap(({ rows }) => rows.flatMap((r) => Object.entries(r.versions))));
  const { cpu, instructions } = document.machine;
  process.stdout.write(
    [
      `${title}, ${size}×${size}, batch ${batch}, one training step (SGD, Nesterov), ${threads} threads, ${rounds} rounds of ${steps} steps`,
      table.toString(),
      `medians over the rounds; ${cpu} (${instructions.join(" ")})`,
      [...versions].map(([name, version]) => `${name} ${version}`).join(", "),
      "",
    ].join("\n"),
  );
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
