// How time and memory grow with batch, image size, depth and width, each point in a process of its own: see bench/README.md.
import { writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine } from "../dist/host/node/machine.js";
import { median, Peer } from "./peers/peer.mjs";
import { powerFit } from "./power-fit.mjs";

const { values: flags } = parseArgs({
  options: {
    work: { type: "string", default: "inference,training" },
    axes: { type: "string", default: "batch,size,depth,width" },
    rounds: { type: "string", default: "7" },
    threads: { type: "string", default: "1" },
    json: { type: "string" },
  },
});
/** What grows, the rest as in `base`. Images are those of CIFAR, and larger ones through the same stem. */
const threads = Number(flags.threads);
const base = { network: "resnet20", classes: 10, size: 32, width: 1, batch: 8, threads };
const axes = {
  batch: { values: [1, 2, 4, 8, 16, 32, 64], of: (batch) => ({ batch }) },
  size: { values: [32, 48, 64, 96, 128], of: (size) => ({ size }) },
  depth: { values: [20, 32, 44, 56], of: (depth) => ({ network: `resnet${depth}` }) },
  width: { values: [0.5, 1, 2, 4], of: (width) => ({ width }) },
};
const works = {
  inference: { file: "peers/scconv-inference.mjs", convs: ["standard", "scconv", "channel"] },
  training: { file: "peers/scconv-training.mjs", convs: ["standard", "scconv"] },
};
const chosen = (name, table) =>
  flags[name].split(",").map((key) => {
    if (Object.hasOwn(table, key)) return key;
    throw new Error(`--${name}: need some of ${Object.keys(table).join(", ")}, not ${key}`);
  });
const rounds = Number(flags.rounds);
for (const [name, value] of Object.entries({ rounds, threads }))
  if (!(Number.isSafeInteger(value) && value > 0)) throw new Error(`--${name}: need a whole number from 1`);
/**
 * The time of one thread is its processor time, which others on the machine disturb little. Several wait for one another, and
 * processor time counts how they wait: theirs is time on the wall, and the threads of the turn before are left to come to rest.
 */
const clock = threads === 1 ? "processor" : "wall";
const PAUSE_MS = threads === 1 ? 0 : 80;
const note = (text) => process.stderr.write(`${text}\n`);
/** A turn lasts as long as that, or for one step: what a turn costs besides its steps is then small. */
const TURN_SECONDS = 0.05;

async function open(work, conv, point) {
  const peer = new Peer(`${work} ${conv}`, process.execPath, [
    fileURLToPath(new URL(works[work].file, import.meta.url)),
  ]);
  const settings = conv === "channel" ? { scope: "channel" } : {};
  const job = {
    ...base,
    ...point,
    conv: conv === "standard" ? conv : "scconv",
    settings,
    learningRate: 1e-4,
  };
  peer.info = await peer.ask(job);
  await peer.ask({ steps: 1 });
  const took = await peer.ask({ steps: 1 });
  const seconds = clock === "wall" ? took.seconds : took.processorSeconds;
  peer.steps = Math.min(50, Math.max(1, Math.ceil(TURN_SECONDS / seconds)));
  return peer;
}

/** All points of an axis live at once and take turns, round after round, from another one each time. */
async function measure(work, axis) {
  const points = [];
  try {
    for (const conv of works[work].convs)
      for (const x of axes[axis].values)
        points.push({ conv, x, peer: await open(work, conv, axes[axis].of(x)), wall: [], processor: [] });
    for (let round = 0; round < rounds; round++) {
      for (let k = 0; k < points.length; k++) {
        const { peer, wall, processor } = points[(k + round) % points.length];
        if (PAUSE_MS > 0) {
          await setTimeout(PAUSE_MS);
          await peer.ask({ steps: 1 });
        }
        const { seconds, processorSeconds } = await peer.ask({ steps: peer.steps });
        wall.push((1000 * seconds) / peer.steps);
        processor.push((1000 * processorSeconds) / peer.steps);
      }
    }
    const rows = [];
    for (const { conv, x, peer, wall, processor } of points) {
      const peakRssMb = await peer.peakRssMb();
      const ownMb = peakRssMb === undefined ? undefined : peakRssMb - peer.info.floorMb;
      const own = { processor, wall }[clock];
      const times = { ms: median(own), wallMs: median(wall), rounds: own };
      rows.push({ conv, x, ...times, peakRssMb, ownMb, versions: peer.info.versions });
    }
    return rows;
  } finally {
    for (const { peer } of points) peer.stop();
  }
}

const results = [];
const document = {
  kind: "growth",
  base,
  clock,
  rounds,
  date: new Date().toISOString(),
  machine: machine(),
  results,
};
for (const work of chosen("work", works)) {
  for (const axis of chosen("axes", axes)) {
    const rows = await measure(work, axis);
    const series = works[work].convs.map((conv) => {
      const own = rows.filter((r) => r.conv === conv);
      const fit = (key) =>
        own.every((r) => r[key] > 0)
          ? powerFit(
              own.map((r) => r.x),
              own.map((r) => r[key]),
            )
          : undefined;
      return { conv, time: fit("ms"), memory: fit("ownMb") };
    });
    results.push({ work, axis, rows, series });
    note(`${work}, ${axis}:`);
    const digits = (f) => (f ? `${f.exponent.toFixed(2)} ± ${f.standardError.toFixed(2)}` : "?");
    for (const { conv, time, memory } of series) {
      const own = rows.filter((r) => r.conv === conv);
      note(`  ${conv}: time ∝ x^(${digits(time)}), memory ∝ x^(${digits(memory)})`);
      note(`    ${own.map((r) => `${r.x}: ${r.ms.toFixed(1)} ms, ${r.peakRssMb} MiB`).join("; ")}`);
    }
    // After every axis: a run that is cut short keeps what it has.
    if (flags.json) await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
  }
}
