/*
 * ResNets for ImageNet: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, table 1: four
 * stages with 64 to 512 channels, of basic (18, 34) or bottleneck blocks (50, 101, 152), the latter four times as wide at
 * their ends. As torchvision has them: the stride lies in the 3×3 convolution, parameters have its names.
 * The CIFAR form has a 3×3 stem of stride 1 and no pooling.
 *
 * ResNeXt and wide bottleneck ResNets are the same network with the 3×3 convolution in groups, or wider.
 */
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { batchNorm, relu } from "../nn/layers.js";
import { maxPool } from "../ops/emit.js";
import { type ArchitectureOptions, type Net, network, normRelu, pooled, residual } from "./network.js";

/** Whether images are large, and are first brought to a quarter of their size, or small. */
export type Form = "imagenet" | "cifar";

export interface ResnetOptions extends Partial<ArchitectureOptions> {
  readonly block: "basic" | "bottleneck";
  /** Blocks in each stage. */
  readonly stages: readonly number[];
  readonly form: Form;
  /** Of the 3×3 convolution of a bottleneck: cardinality, and channels to a group in the first stage. */
  readonly groups?: number;
  readonly widthPerGroup?: number;
}

export const resnets = {
  18: { block: "basic", stages: [2, 2, 2, 2] },
  34: { block: "basic", stages: [3, 4, 6, 3] },
  50: { block: "bottleneck", stages: [3, 4, 6, 3] },
  101: { block: "bottleneck", stages: [3, 4, 23, 3] },
  152: { block: "bottleneck", stages: [3, 8, 36, 3] },
} as const satisfies Record<number, Pick<ResnetOptions, "block" | "stages">>;

/** Images (N, channels, size, size) → logits (N, classes). */
export function resnet({ stages, form, ...options }: ResnetOptions): Graph {
  const block = options.block === "basic" ? basic : bottleneck(options);
  return network("resnet", options, { linear: { bias: "uniform" } }, (images, net) => {
    const stem = form === "cifar" ? { kernel: 3, stride: 1 } : { kernel: 7, stride: 2 };
    let x = normRelu(net.stem(images, net.scaled(64), "conv1", stem), "bn1");
    if (form === "imagenet") x = maxPool(x, 3, 2, 1);
    stages.forEach((blocks, stage) => {
      for (let i = 0; i < blocks; i++) {
        const stride = stage > 0 && i === 0 ? 2 : 1;
        x = x.builder.scope(`layer${stage + 1}.${i}`, () => block(x, 64 * 2 ** stage, stride, net));
      }
    });
    return net.linear(pooled(x), net.classes, "fc");
  });
}

type Block = (x: Value, width: number, stride: number, net: Net) => Value;

const basic: Block = (x, width, stride, net) => {
  const out = net.scaled(width);
  const inner = normRelu(net.first(x, out, "conv1", { kernel: 3, stride }), "bn1");
  const y = batchNorm(net.second(inner, out, "conv2", { kernel: 3, stride: 1 }), "bn2");
  return relu(residual(y, shortcut(x, out, stride, net)));
};

const bottleneck =
  ({ groups = 1, widthPerGroup = 64 }: Pick<ResnetOptions, "groups" | "widthPerGroup">): Block =>
  (x, width, stride, net) => {
    const inner = groups * net.scaled((widthPerGroup * width) / 64);
    const out = net.scaled(4 * width);
    let y = normRelu(net.pointwise(x, inner, "conv1"), "bn1");
    y = normRelu(
      net.second(y, inner, "conv2", { kernel: 3, stride, ...(groups > 1 ? { groups } : {}) }),
      "bn2",
    );
    y = batchNorm(net.pointwise(y, out, "conv3"), "bn3");
    return relu(residual(y, shortcut(x, out, stride, net)));
  };

/** Option B: a 1×1 convolution where the shape changes. */
function shortcut(x: Value, out: number, stride: number, net: Net): Value {
  if (stride === 1 && x.shape[1] === out) return x;
  return batchNorm(net.pointwise(x, out, "downsample.0", stride), "downsample.1");
}
