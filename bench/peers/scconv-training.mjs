// Our training step, for bench/training.mjs. The first line on stdin says what to build; what it starts from is written
// to a file, so that a peer starts from the same.
import { writeFile } from "node:fs/promises";
import { Random } from "../../dist/base/random.js";
import { Tensor } from "../../dist/base/tensor.js";
import { nodeEngine } from "../../dist/host/node/ort.js";
import { convUnit } from "../../dist/nn/units.js";
import { encodeSafetensors } from "../../dist/runtime/safetensors.js";
import { sgd } from "../../dist/train/optimizer.js";
import { trainableParts } from "../../dist/train/parts.js";
import { buildStep, classification } from "../../dist/train/step.js";
import { createTrainer, initialState } from "../../dist/train/trainer.js";
import { architecture } from "../../dist/zoo/index.js";
import { clock, heldMb, say, serve } from "./serve.mjs";

async function start(job) {
  const { network, classes, size, width = 1, conv, batch, threads, learningRate, recompute, file } = job;
  const floorMb = heldMb();
  // The gate begins open: near its threshold two roundings decide differently, and sixteen layers later it shows in the loss
  // (PyTorch's own two layouts differ by 0.6 % then). The work is the same.
  const unit = convUnit(conv, conv === "scconv" ? { gateBias: 5 } : {});
  const student = architecture(network)({ classes, channels: 3, size, width, unit, where: "all", seed: 0 });
  const objective = classification(student, undefined, {});
  const program = buildStep({ student, batch, optimizer: sgd(), objective, recompute });
  const { parameters, statistics } = trainableParts(student);
  const random = new Random(1);
  const images = Float32Array.from({ length: batch * 3 * size * size }, () => random.normal());
  const labels = Int32Array.from({ length: batch }, () => random.int(classes));
  const batchTensors = [
    ["images", Tensor.of("float32", [batch, 3, size, size], images)],
    ["labels", Tensor.of("int32", [batch], labels)],
  ];
  if (file)
    await writeFile(file, encodeSafetensors(new Map([...parameters, ...statistics, ...batchTensors])));
  const engine = nodeEngine({ threads });
  const state = initialState(program, new Map([...parameters, ...statistics]));
  const trainer = await createTrainer(engine, program, state, { threads });
  say({
    floorMb,
    versions: { engine: engine.runtime, node: process.version },
    parameters: program.parameters.size,
  });
  return async (steps) => {
    const losses = [];
    const elapsed = clock();
    for (let i = 0; i < steps; i++) {
      const { figures } = await trainer.step(images, labels, learningRate);
      losses.push(figures.get("loss"));
    }
    return { ...elapsed(), losses };
  };
}

await serve(start);
