// TensorFlow.js' inference of ResNet-20, for bench/inference.mjs: `node tfjs-inference.mjs FOLDER`, where FOLDER/node_modules has
// @tensorflow/tfjs-core and its wasm and cpu backends. Batch norms are folded and the activation is part of the convolution, as its
// converter does for a model that is deployed.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { decodeSafetensors } from "../../dist/runtime/safetensors.js";
import { say, serve } from "./serve.mjs";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const tf = require("@tensorflow/tfjs-core");
const EPSILON = 1e-5;

/** Kernel (kh, kw, in, out) and bias of a convolution with its norm. */
function folded(tensors, conv, norm) {
  const weight = tensors.get(`${conv}.weight`);
  const values = (name) => Array.from(tensors.get(`${norm}.${name}`).numbers());
  const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(values);
  const scale = gamma.map((g, i) => g / Math.sqrt(variance[i] + EPSILON));
  const kernel = tf.transpose(tf.tensor(Float32Array.from(weight.numbers()), weight.dims), [2, 3, 1, 0]);
  return {
    filter: tf.mul(kernel, tf.tensor1d(scale)),
    bias: tf.tensor1d(beta.map((b, i) => b - mean[i] * scale[i])),
  };
}

function resnet20(tensors) {
  const conv = (name, norm, strides, activation) => {
    const own = folded(tensors, name, norm);
    return (x) => tf.fused.conv2d({ x, ...own, strides, pad: 1, activation });
  };
  const stem = conv("conv1", "bn1", 1, "relu");
  const blocks = [16, 32, 64].flatMap((width, stage) =>
    [0, 1, 2].map((i) => {
      const name = `layer${stage + 1}.${i}`;
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const first = conv(`${name}.conv1`, `${name}.bn1`, stride, "relu");
      const second = conv(`${name}.conv2`, `${name}.bn2`, 1, "linear");
      return (x) => tf.relu(tf.add(second(first(x)), stride > 1 ? narrower(x, width) : x));
    }),
  );
  const linear = ["weight", "bias"].map((n) => {
    const own = tensors.get(`linear.${n}`);
    return tf.tensor(Float32Array.from(own.numbers()), own.dims);
  });
  return (images) => {
    const x = blocks.reduce((y, block) => block(y), stem(images));
    return tf.add(tf.matMul(tf.mean(x, [1, 2]), linear[0], false, true), linear[1]);
  };
}

/** Option A: every second pixel, zeros for the channels that are new. */
function narrower(x, width) {
  const [n, h, w, c] = x.shape;
  const before = Math.floor((width - c) / 2);
  const seen = tf.stridedSlice(x, [0, 0, 0, 0], [n, h, w, c], [1, 2, 2, 1]);
  return tf.pad(seen, [
    [0, 0],
    [0, 0],
    [0, 0],
    [before, width - c - before],
  ]);
}

async function start({ backend, threads, file }) {
  const { version } = require(`@tensorflow/tfjs-backend-${backend}/package.json`);
  const own = require(`@tensorflow/tfjs-backend-${backend}`);
  if (backend === "wasm") own.setThreadsCount(threads);
  await tf.setBackend(backend);
  await tf.ready();
  const { tensors } = decodeSafetensors(new Uint8Array(await readFile(file)), file);
  const images = tensors.get("images");
  const x = tf.transpose(tf.tensor(Float32Array.from(images.numbers()), images.dims), [0, 2, 3, 1]);
  const model = resnet20(tensors);
  const used = backend === "wasm" ? own.getThreadsCount() : 1;
  say({ versions: { tfjs: version, node: process.version }, threads: used });
  return async (steps) => {
    const started = performance.now();
    let logits;
    for (let i = 0; i < steps; i++) {
      const y = tf.tidy(() => model(x));
      // Fetched, so that it is surely done.
      logits = await y.data();
      y.dispose();
    }
    const seconds = (performance.now() - started) / 1000;
    return { seconds, logits: Array.from(logits).slice(0, tensors.get("linear.bias").dims[0]) };
  };
}

await serve(start);
