/*
 * DenseNet-BC: Huang, Liu, van der Maaten, Weinberger, "Densely Connected Convolutional Networks", CVPR 2017, table 1.
 * Each layer (norm, ReLU, 1×1 to four times the growth rate, norm, ReLU, 3×3 to the growth rate 32) adds its features to
 * those of all layers before it; between the four dense blocks the width is halved and the size, too. As torchvision has
 * it, parameter names included. The CIFAR form has a 3×3 stem of stride 1 and no pooling there.
 */
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { heNormalFanIn } from "../nn/init.js";
import { averagePool, concat, maxPool } from "../ops/emit.js";
import { type ArchitectureOptions, type Net, network, normRelu, pooled } from "./network.js";
import type { Form } from "./resnet.js";

export interface DensenetOptions extends Partial<ArchitectureOptions> {
  /** Layers in each dense block. */
  readonly blocks: readonly number[];
  readonly form: Form;
}

export const densenets = { 121: [6, 12, 24, 16], 169: [6, 12, 32, 32] } as const;

const GROWTH = 32;

/** Images (N, channels, size, size) → logits (N, classes). `width` multiplies the growth rate and the stem. */
export function densenet({ blocks, form, ...options }: DensenetOptions): Graph {
  return network("densenet", options, { conv: heNormalFanIn }, (images, net) => {
    const b = images.builder;
    const features = b.scope("features", () => {
      const stem = form === "cifar" ? { kernel: 3, stride: 1 } : { kernel: 7, stride: 2 };
      let x = normRelu(net.stem(images, net.scaled(2 * GROWTH), "conv0", stem), "norm0");
      if (form === "imagenet") x = maxPool(x, 3, 2, 1);
      blocks.forEach((layers, i) => {
        if (i > 0) x = b.scope(`transition${i}`, () => transition(x, net));
        for (let j = 1; j <= layers; j++) {
          const added = b.scope(`denseblock${i + 1}.denselayer${j}`, () => layer(x, net));
          x = concat([x, added], 1);
        }
      });
      return normRelu(x, "norm5");
    });
    return net.linear(pooled(features), net.classes, "classifier");
  });
}

function layer(x: Value, { pointwise, second, scaled }: Net): Value {
  const growth = scaled(GROWTH);
  const narrow = pointwise(normRelu(x, "norm1"), 4 * growth, "conv1");
  return second(normRelu(narrow, "norm2"), growth, "conv2", { kernel: 3, stride: 1 });
}

function transition(x: Value, { pointwise }: Net): Value {
  const half = Math.floor((x.shape[1] as number) / 2);
  return averagePool(pointwise(normRelu(x, "norm"), half, "conv"), 2, 2);
}
