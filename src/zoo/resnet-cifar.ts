/*
 * ResNets for CIFAR: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, §4.2. Depth 6n + 2,
 * three stages of n basic blocks with 16, 32 and 64 channels, parameter-free shortcuts (option A). 20, 32, 44, 56, 110.
 */
import { ScconvError } from "../base/errors.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { batchNorm, relu } from "../nn/layers.js";
import { slice } from "../ops/emit.js";
import { type ArchitectureOptions, type Net, network, normRelu, pooled, residual } from "./network.js";

export interface ResnetCifarOptions extends Partial<ArchitectureOptions> {
  readonly depth: number;
  /** Channels of the three stages. */
  readonly widths?: readonly [number, number, number];
  /** Where widths differ, He et al.'s option A (every second pixel, zeros for the new channels) or B (1×1 convolution, norm). */
  readonly shortcuts?: "A" | "B";
}

/** Images (N, channels, size, size) → logits (N, classes). Throws `bad-setting` where the depth is not 6n + 2. */
export function resnetCifar(given: ResnetCifarOptions): Graph {
  const { depth, widths = [16, 32, 64], shortcuts = "A", ...options } = given;
  const shortcut = shortcuts === "A" ? padded : projected;
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new ScconvError("bad-setting", "no CIFAR ResNet has this depth", {
      got: `${depth}`,
      need: "6n + 2: 20, 32 …",
    });
  }
  return network(`resnet${depth}`, options, {}, (images, net) => {
    const [narrow, ...wider] = widths.map(net.scaled) as [number, ...number[]];
    let x = normRelu(net.stem(images, narrow, "conv1", { kernel: 3, stride: 1 }), "bn1");
    [narrow, ...wider].forEach((width, stage) => {
      for (let i = 0; i < blocks; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        x = x.builder.scope(`layer${stage + 1}.${i}`, () => block(x, width, stride, net, shortcut));
      }
    });
    return net.linear(pooled(x), net.classes, "linear");
  });
}

type Shortcut = (x: Value, width: number, stride: number, net: Net) => Value;

function block(x: Value, width: number, stride: number, net: Net, shortcut: Shortcut): Value {
  const { first, second } = net;
  const inner = normRelu(first(x, width, "conv1", { kernel: 3, stride }), "bn1");
  const y = batchNorm(second(inner, width, "conv2", { kernel: 3, stride: 1 }), "bn2");
  return relu(residual(y, shortcut(x, width, stride, net)));
}

/** Option B. */
function projected(x: Value, width: number, stride: number, { pointwise }: Net): Value {
  if (stride === 1 && x.shape[1] === width) return x;
  return batchNorm(pointwise(x, width, "shortcut.0", stride), "shortcut.1");
}

/** Option A: every second pixel, and zeros for the channels that are new. */
function padded(x: Value, width: number, stride: number): Value {
  const [, c, h, w] = x.shape as [string, number, number, number];
  if (stride === 1 && c === width) return x;
  const seen = slice(x, { starts: [0, 0], ends: [h, w], axes: [2, 3], steps: [stride, stride] });
  const before = Math.floor((width - c) / 2);
  const b = x.builder;
  return b.add("Pad", [seen, b.ints([0, before, 0, 0, 0, width - c - before, 0, 0])]);
}
