/*
 * Weights from PyTorch, and back: a torchvision network's state dict as .pt and as .safetensors into the zoo's network of that
 * name, logits on the engine beside PyTorch's; the network exported as ONNX in several operator sets, run again; its weights
 * exported and loaded into PyTorch strictly.
 *
 *   npm run build && PYTHON=python node bench/weights.mjs [resnet18 …]
 *
 * Python needs torch, torchvision and safetensors. Fails where logits differ by more than 1e-4 of the largest.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  architecture,
  decodeSafetensors,
  loadWeights,
  lower,
  nodeEngine,
  readModel,
  readWeights,
} from "../dist/node.js";

const run = promisify(execFile);
const python = process.env.PYTHON ?? "python3";
const beside = (file) => fileURLToPath(new URL(file, import.meta.url));
const scconv = (...args) => run(process.execPath, [beside("../dist/cli/main.js"), ...args, "--json"]);
const engine = nodeEngine();
const names = process.argv.length > 2 ? process.argv.slice(2) : ["resnet18"];
let worst = 0;

async function logits(model, input) {
  const session = await engine.open(model);
  try {
    const output = await session.run(new Map([[session.inputs[0], input]]));
    return output.get(session.outputs[0]).numbers();
  } finally {
    await session.release();
  }
}

for (const name of names) {
  const folder = await mkdtemp(join(tmpdir(), "scconv-weights-"));
  try {
    await run(python, [beside("weights/make.py"), name, folder]);
    const { tensors: io } = decodeSafetensors(await readFile(join(folder, "io.safetensors")), "io");
    const [input, want] = [io.get("input"), io.get("logits").numbers()];
    const largest = want.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const report = (what, got) => {
      const difference = want.reduce((m, v, i) => Math.max(m, Math.abs(v - got[i])), 0) / largest;
      worst = Math.max(worst, difference);
      console.log(`${name}  ${what.padEnd(26)} ${difference.toExponential(1)}`);
    };
    for (const kind of ["pt", "safetensors"]) {
      const file = join(folder, `${name}.${kind}`);
      const start = performance.now();
      const { tensors } = await readWeights(file);
      const { graph } = loadWeights(architecture(name)({ init: "zeros" }), tensors, { where: file });
      const ms = Math.round(performance.now() - start);
      report(`.${kind}, read in ${ms} ms`, await logits(lower(graph), input));
    }
    const weights = ["--weights", join(folder, `${name}.pt`)];
    for (const opset of [11, 13, 18, 26]) {
      const out = join(folder, `opset${opset}.onnx`);
      await scconv("export", name, ...weights, "-o", out, "--opset", `${opset}`);
      const { bytes } = await readModel(out);
      report(`ONNX, operator set ${opset}`, await logits(bytes, input));
    }
    const back = join(folder, "back.safetensors");
    await scconv("export", name, ...weights, "-o", back);
    const { stdout } = await run(python, [beside("weights/check.py"), name, folder, back]);
    console.log(`${name}  back in PyTorch            ${stdout.trim()}`);
    if (!JSON.parse(stdout).sameBits) throw new Error("the weights came back changed");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
if (!(worst <= 1e-4)) throw new Error(`the largest difference is ${worst}`);
