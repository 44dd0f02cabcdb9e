/*
 * ResNets for CIFAR: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, §4.2. Depth 6n + 2,
 * three stages of n basic blocks with 16, 32 and 64 channels, parameter-free shortcuts (option A). 20, 32, 44, 56, 110.
 */
import { ScconvError } from "../base/errors.js";
import { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { batchNorm, conv, linear, relu } from "../nn/layers.js";
import { type ConvUnit, standardUnit } from "../nn/units.js";
import { add, slice } from "../ops/emit.js";
import { graphBuilder } from "../ops/index.js";

export interface ResnetCifarOptions {
  readonly depth: number;
  readonly classes?: number;
  readonly channels?: number;
  readonly size?: number;
  /** Channels of the three stages. */
  readonly widths?: readonly [number, number, number];
  /** Stands in place of the convolutions that `where` names. */
  readonly unit?: ConvUnit;
  /** `second`: the one with equal widths and stride 1 in each block (the paper's choice); `all`: both. */
  readonly where?: "second" | "all";
  readonly seed?: number;
}

/** Images (N, channels, size, size) → logits (N, classes), N symbolic. */
export function resnetCifar(options: ResnetCifarOptions): Graph {
  const {
    depth,
    classes = 10,
    channels = 3,
    size = 32,
    widths = [16, 32, 64],
    unit = standardUnit,
    where = "second",
    seed = 0,
  } = options;
  const blocks = (depth - 2) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new ScconvError("bad-setting", "no CIFAR ResNet has this depth", {
      got: `${depth}`,
      need: "6n + 2: 20, 32 …",
    });
  }
  const random = new Random(seed, 1);
  const b = graphBuilder({ name: `resnet${depth}` });
  const first = where === "all" ? unit : standardUnit;

  let x = b.input("input", "float32", ["N", channels, size, size]);
  x = relu(batchNorm(conv(x, widths[0], "conv1", random), "bn1"));
  widths.forEach((width, stage) => {
    for (let i = 0; i < blocks; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      x = b.scope(`layer${stage + 1}.${i}`, () => block(x, width, stride, { first, second: unit, random }));
    }
  });
  const pooled = b.add("Flatten", [b.add("GlobalAveragePool", [x])]);
  b.output(linear(pooled, classes, "linear", random), "logits");
  return b.build();
}

interface Slots {
  readonly first: ConvUnit;
  readonly second: ConvUnit;
  readonly random: Random;
}

function block(x: Value, width: number, stride: number, { first, second, random }: Slots): Value {
  const inner = relu(batchNorm(first(x, width, "conv1", random, { kernel: 3, stride }), "bn1"));
  const y = batchNorm(second(inner, width, "conv2", random, { kernel: 3, stride: 1 }), "bn2");
  return relu(add(y, shortcut(x, width, stride)));
}

/** Option A: every second pixel, and zeros for the channels that are new. */
function shortcut(x: Value, width: number, stride: number): Value {
  const [, c, h, w] = x.shape as [string, number, number, number];
  if (stride === 1 && c === width) return x;
  const seen = slice(x, { starts: [0, 0], ends: [h, w], axes: [2, 3], steps: [stride, stride] });
  const before = Math.floor((width - c) / 2);
  const b = x.builder;
  return b.add("Pad", [seen, b.ints([0, before, 0, 0, 0, width - c - before, 0, 0])]);
}
