// Our inference, for bench/inference.mjs. The first line on stdin says what to build; with `write` its weights and images go
// to a file, so that a peer starts from the same.
import { writeFile } from "node:fs/promises";
import { Random } from "../../dist/base/random.js";
import { Tensor } from "../../dist/base/tensor.js";
import { nodeEngine } from "../../dist/host/node/ort.js";
import { scconvDefaults } from "../../dist/nn/scconv.js";
import { convUnit } from "../../dist/nn/units.js";
import { deploy, findUnits } from "../../dist/optimise/index.js";
import { encodeSafetensors } from "../../dist/runtime/safetensors.js";
import { trainableParts } from "../../dist/train/parts.js";
import { architecture } from "../../dist/zoo/index.js";
import { clock, heldMb, say, serve } from "./serve.mjs";

async function start({ network, classes, size, width = 1, conv, settings, batch, threads, file, write }) {
  const floorMb = heldMb();
  const unit = convUnit(conv, settings);
  const graph = architecture(network)({ classes, channels: 3, size, width, unit, where: "all", seed: 0 });
  const units = conv === "scconv" ? findUnits(graph, { ...scconvDefaults, ...settings }) : [];
  const random = new Random(1);
  const dims = [batch, 3, size, size];
  const images = Tensor.of(
    "float32",
    dims,
    Float32Array.from({ length: batch * 3 * size * size }, () => random.normal()),
  );
  const { parameters, statistics } = trainableParts(graph);
  if (write) {
    const labels = Tensor.of("int32", [batch], new Int32Array(batch));
    const rest = [
      ["images", images],
      ["labels", labels],
    ];
    await writeFile(file, encodeSafetensors(new Map([...parameters, ...statistics, ...rest])));
  }
  const engine = nodeEngine({ threads });
  const session = await engine.open(deploy(graph, units));
  const feeds = new Map([["input", images]]);
  say({ floorMb, versions: { engine: engine.runtime, node: process.version } });
  return async (steps) => {
    let results;
    const elapsed = clock();
    for (let i = 0; i < steps; i++) results = await session.run(feeds);
    return { ...elapsed(), logits: Array.from(results.get("logits").numbers()).slice(0, classes) };
  };
}

await serve(start);
