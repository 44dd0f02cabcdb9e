/*
 * MobileNetV2: Sandler, Howard, Zhu, Zhmoginov, Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018,
 * table 2. As torchvision has it, parameter names and the rounding of widths to multiples of eight included; dropout is
 * left out. In the CIFAR form the stem and the second stage keep the size.
 */
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { normalOf } from "../nn/init.js";
import { batchNorm } from "../nn/layers.js";
import { clip } from "../ops/emit.js";
import { type ArchitectureOptions, type Net, network, pooled, residual } from "./network.js";
import type { Form } from "./resnet.js";

export interface MobilenetV2Options extends Partial<ArchitectureOptions> {
  readonly form: Form;
}

/** Expansion t, output channels c, repetitions n, stride s of the first, and that in the CIFAR form. */
const stages = [
  { t: 1, c: 16, n: 1, s: 1 },
  { t: 6, c: 24, n: 2, s: 2, small: 1 },
  { t: 6, c: 32, n: 3, s: 2 },
  { t: 6, c: 64, n: 4, s: 2 },
  { t: 6, c: 96, n: 3, s: 1 },
  { t: 6, c: 160, n: 3, s: 2 },
  { t: 6, c: 320, n: 1, s: 1 },
];

/** Images (N, channels, size, size) → logits (N, classes). */
export function mobilenetV2({ form, ...options }: MobilenetV2Options): Graph {
  const { width = 1 } = options;
  const start = { linear: { init: normalOf(0.01) } };
  return network("mobilenet-v2", options, start, (images, net) => {
    const b = images.builder;
    const small = form === "cifar";
    const features = b.scope("features", () => {
      let x = net.stem(images, toEight(32 * width), "0.0", { kernel: 3, stride: small ? 1 : 2 });
      x = relu6(batchNorm(x, "0.1"));
      let position = 1;
      for (const { t, c, n, s, small: own = s } of stages) {
        for (let i = 0; i < n; i++) {
          const stride = i > 0 ? 1 : small ? own : s;
          x = b.scope(`${position++}.conv`, () => block(x, { t, out: toEight(c * width), stride }, net));
        }
      }
      const last = toEight(1280 * Math.max(1, width));
      return relu6(batchNorm(net.stem(x, last, `${position}.0`, { kernel: 1, stride: 1 }), `${position}.1`));
    });
    return net.linear(pooled(features), net.classes, "classifier.1");
  });
}

/** Inverted residual: wide, filtered channel by channel, narrow again without an activation. */
function block(x: Value, { t, out, stride }: { t: number; out: number; stride: number }, net: Net): Value {
  const input = x.shape[1] as number;
  const wide = t === 1 ? x : relu6(batchNorm(net.pointwise(x, t * input, "0.0"), "0.1"));
  const at = t === 1 ? 0 : 1;
  const groups = wide.shape[1] as number;
  const filtered = net.second(wide, groups, `${at}.0`, { kernel: 3, stride, groups });
  const narrow = net.pointwise(relu6(batchNorm(filtered, `${at}.1`)), out, `${at + 1}`);
  const y = batchNorm(narrow, `${at + 2}`);
  return stride === 1 && input === out ? residual(y, x) : y;
}

const relu6 = (x: Value): Value => clip(x, 0, 6);

/** To the nearest multiple of eight, but not down by more than a tenth (the authors' own rule). */
function toEight(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}
