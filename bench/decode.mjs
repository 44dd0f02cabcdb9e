// How fast a model file of about 100 MB is read and written, and whether its weights are copied: see bench/README.md.
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Random } from "../dist/base/random.js";
import { modelOf } from "../dist/graph/model.js";
import { machine } from "../dist/host/node/machine.js";
import { decodeModel, encodeModel, graphBuilder, Tensor } from "../dist/index.js";
import { conv, relu } from "../dist/ops/emit.js";
import { median } from "./peers/peer.mjs";

const { values: flags } = parseArgs({
  options: {
    megabytes: { type: "string", default: "100" },
    rounds: { type: "string", default: "9" },
    json: { type: "string" },
  },
});
const WIDTH = 512;
const layerBytes = WIDTH * WIDTH * 9 * 4;

/** A plain network of 3×3 convolutions with random weights. */
function network(megabytes) {
  const b = graphBuilder({ name: "plain" });
  const random = new Random(1);
  let x = b.input("input", "float32", ["N", WIDTH, 14, 14]);
  for (let i = 0; i < Math.round((megabytes * 1e6) / layerBytes); i++) {
    const values = Float32Array.from({ length: layerBytes / 4 }, () => random.next() - 0.5);
    const weight = b.parameter(`layer${i}.weight`, Tensor.of("float32", [WIDTH, WIDTH, 3, 3], values));
    x = relu(conv(x, weight, undefined, { pads: [1, 1, 1, 1] }));
  }
  b.output(x, "output");
  return modelOf(b.build());
}

const model = network(Number(flags.megabytes));
const bytes = encodeModel(model);
const decoded = decodeModel(bytes);
let shared = 0;
let weights = 0;
for (const [name, tensor] of decoded.graph.initializers) {
  const original = model.graph.initializers.get(name);
  if (Buffer.compare(original.bytes, tensor.bytes) !== 0) throw new Error(`${name} came back changed`);
  weights += tensor.bytes.byteLength;
  if (tensor.bytes.buffer === bytes.buffer) shared += tensor.bytes.byteLength;
}

function rate(work) {
  const times = Array.from({ length: Number(flags.rounds) }, () => {
    const started = performance.now();
    work();
    return (performance.now() - started) / 1000;
  });
  return { seconds: median(times), megabytesPerSecond: bytes.byteLength / 1e6 / median(times) };
}

const document = {
  ...{ bytes: bytes.byteLength, weightBytes: weights, sharedBytes: shared, rounds: Number(flags.rounds) },
  ...{ decode: rate(() => decodeModel(bytes)), encode: rate(() => encodeModel(decoded)) },
  ...{ machine: machine() },
};
const show = ({ seconds, megabytesPerSecond }) =>
  `${(1000 * seconds).toFixed(2)} ms, ${Math.round(megabytesPerSecond)} MB/s`;
process.stdout.write(
  [
    `a model of ${(bytes.byteLength / 1e6).toFixed(1)} MB, ${model.graph.nodes.length} nodes`,
    `decode  ${show(document.decode)} (${((100 * shared) / weights).toFixed(0)} % of the weights are views of the file)`,
    `encode  ${show(document.encode)}`,
    `medians of ${flags.rounds}; ${document.machine.cpu}, node ${process.version}`,
    "",
  ].join("\n"),
);
if (flags.json) await writeFile(flags.json, `${JSON.stringify(document, null, 2)}\n`);
