/*
 * ResNet-50 in octaves: Chen et al., "Drop an Octave", ICCV 2019, §4.1: every convolution of the stages 1 to 3 is an octave
 * convolution, so that features stay in two octaves all the way; the first one has no low octave coming in, and the last
 * stage's first block takes both octaves to full resolution again (α = 0 from there on). Strides as in torchvision's
 * ResNet-50. Parameters are those of ResNet-50, but for the norms, of which each octave has its own half.
 */
import { Random } from "../base/random.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { zeroWeights } from "../nn/init.js";
import { batchNorm, relu } from "../nn/layers.js";
import { type Octaves, octConv, octConvDefaults } from "../nn/octconv.js";
import { maxPool } from "../ops/emit.js";
import { type ArchitectureOptions, network, normRelu, pooled, residual } from "./network.js";
import { type Form, resnets } from "./resnet.js";

export interface OctResnetOptions extends Partial<Omit<ArchitectureOptions, "unit" | "where">> {
  readonly form: Form;
  /** Share α of the channels at low frequency. */
  readonly alpha?: number;
}

/** Images (N, channels, size, size) → logits (N, classes). */
export function octResnet50({ form, alpha = octConvDefaults.alpha, ...options }: OctResnetOptions): Graph {
  const random = options.init === "zeros" ? zeroWeights : new Random(options.seed ?? 0, 2);
  return network("oct-resnet50", options, { linear: { bias: "uniform" } }, (images, net) => {
    const stem = form === "cifar" ? { kernel: 3, stride: 1 } : { kernel: 7, stride: 2 };
    const first = normRelu(net.stem(images, net.scaled(64), "conv1", stem), "bn1");
    let x: Octaves = { high: form === "imagenet" ? maxPool(first, 3, 2, 1) : first, low: undefined };
    resnets[50].stages.forEach((blocks, stage) => {
      const share = stage === 3 ? 0 : alpha;
      for (let i = 0; i < blocks; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const width = net.scaled(64 * 2 ** stage);
        x = images.builder.scope(`layer${stage + 1}.${i}`, () => bottleneck(x, width, stride, share, random));
      }
    });
    return net.linear(pooled(x.high!), net.classes, "fc");
  });
}

function bottleneck(x: Octaves, width: number, stride: number, alpha: number, random: Random): Octaves {
  const conv = (v: Octaves, out: number, name: string, kernel: number, s = 1): Octaves => {
    const low = Math.floor(alpha * out);
    return norms(octConv(v, { high: out - low, low }, name, random, { kernel, stride: s }), `${name}_bn`);
  };
  const active = (v: Octaves) => both(v, relu);
  const inner = active(conv(active(conv(x, width, "conv1", 1)), width, "conv2", 3, stride));
  const y = conv(inner, 4 * width, "conv3", 1);
  const same = stride === 1 && channels(x) === 4 * width && (x.low === undefined) === (y.low === undefined);
  const shortcut = same ? x : conv(x, 4 * width, "downsample", 1, stride);
  return active({
    high: y.high && residual(y.high, shortcut.high!),
    low: y.low && residual(y.low, shortcut.low!),
  });
}

const norms = (v: Octaves, name: string): Octaves => ({
  high: v.high && batchNorm(v.high, `${name}.high`),
  low: v.low && batchNorm(v.low, `${name}.low`),
});

const both = (v: Octaves, f: (x: Value) => Value): Octaves => ({
  high: v.high && f(v.high),
  low: v.low && f(v.low),
});

const channels = (v: Octaves): number =>
  [v.high, v.low].reduce((sum, o) => sum + ((o?.shape[1] as number) ?? 0), 0);
