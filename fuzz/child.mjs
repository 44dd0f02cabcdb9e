/*
 * One process of the fuzzer: mutates, runs, keeps what reaches new code. The input under way always lies in `current`, so
 * that the parent has it when this process dies, hangs or eats memory.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCoverage } from "./coverage.mjs";

const { folder, target: only, seed, engine, slowSeconds } = JSON.parse(process.argv[2]);
const ran = startCoverage();
const { targets } = await import("./targets.mjs");
const { seeds } = await import("./seeds.mjs");
const { mutateBytes } = await import("./mutate-bytes.mjs");
const { mutateModel } = await import("./mutate-model.mjs");
const { Dice } = await import("./random.mjs");
const { ScconvError } = await import("../dist/base/errors.js");

const dice = new Dice(seed);
const current = join(folder, "current");
const kinds = Object.keys(targets).filter((k) => only === undefined || k === only);
const corpus = new Map(kinds.map((kind) => [kind, readCorpus(kind)]));
const blocks = new Set();
/** Blocks that single inputs reached: their counts are not those of a batch. */
const seenAlone = new Set();
const outcomes = new Set();
const batchSize = 8;
let inputs = 0;
let accepted = 0;

function readCorpus(kind) {
  const at = join(folder, "corpus", kind);
  mkdirSync(at, { recursive: true });
  return [...seeds[kind](), ...readdirSync(at).map((f) => readFileSync(join(at, f)))];
}

function mutated(kind) {
  const list = corpus.get(kind);
  const [base, other] = [dice.pick(list), dice.pick(list)];
  const model = kind === "onnx" && dice.chance(0.6) ? mutateModel(base, dice) : undefined;
  return model ?? mutateBytes(base, other, dice);
}

/** What came of one input: accepted, an error of ours without its names and numbers, or a find. */
async function attempt(kind, bytes) {
  writeFileSync(current, bytes);
  const cpu = process.cpuUsage();
  let outcome;
  try {
    outcome = `accepted ${await targets[kind](bytes, { engine })}`;
    accepted++;
  } catch (error) {
    if (error instanceof ScconvError)
      outcome = `${error.code} ${error.message.replace(/"[^"]*"|\d+/g, "_")}`.slice(0, 200);
    else report("crash", kind, bytes, error);
  }
  const { user, system } = process.cpuUsage(cpu);
  if ((user + system) / 1e6 > slowSeconds)
    report("slow", kind, bytes, new Error(`${(user + system) / 1e6} s of processor time`));
  inputs++;
  return outcome;
}

const report = (what, kind, bytes, error) =>
  process.send({
    what,
    kind,
    bytes: Buffer.from(bytes).toString("base64"),
    stack: String(error?.stack ?? error),
  });

function keep(kind, bytes) {
  if (bytes.length > 1 << 16) return;
  corpus.get(kind).push(bytes);
  const name = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
  writeFileSync(join(folder, "corpus", kind, name), bytes);
}

const isNew = (list) => {
  const before = blocks.size;
  for (const b of list) blocks.add(b);
  return blocks.size > before;
};

for (const kind of kinds) for (const bytes of corpus.get(kind)) await attempt(kind, bytes);
isNew(ran());
process.send({ what: "ready" });
for (let said = Date.now(); ; ) {
  const kind = kinds.length === 1 || dice.chance(0.85) ? kinds[0] : dice.pick(kinds);
  const batch = Array.from({ length: batchSize }, () => mutated(kind));
  for (const bytes of batch) {
    const outcome = await attempt(kind, bytes);
    if (outcome) outcomes.add(`${kind} ${outcome}`);
  }
  if (isNew(ran())) {
    // Which of them it was: each once more by itself.
    const before = inputs;
    for (const bytes of batch) {
      await attempt(kind, bytes);
      const own = ran();
      if (own.some((b) => !seenAlone.has(b))) keep(kind, bytes);
      for (const b of own) seenAlone.add(b);
    }
    inputs = before;
  }
  if (Date.now() - said > 500) {
    said = Date.now();
    const size = [...corpus.values()].reduce((n, list) => n + list.length, 0);
    process.send({
      what: "progress",
      inputs,
      accepted,
      corpus: size,
      blocks: blocks.size,
      outcomes: outcomes.size,
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
}
