/*
 * VGG-16 with batch normalisation: Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
 * Recognition", ICLR 2015, table 1, column D. Thirteen 3×3 convolutions, a pooling after each of five stages, three linear
 * layers. As torchvision has it, its names (positions in a list) included, but for dropout, which is left out.
 * The CIFAR form (Zagoruyko 2015, "92.45 % on CIFAR-10 in Torch") has one linear layer.
 */
import { ScconvError } from "../base/errors.js";
import type { Value } from "../graph/builder.js";
import type { Graph } from "../graph/ir.js";
import { normalOf } from "../nn/init.js";
import { relu } from "../nn/layers.js";
import { averagePool, maxPool } from "../ops/emit.js";
import { type ArchitectureOptions, network, normRelu } from "./network.js";
import type { Form } from "./resnet.js";

export interface VggOptions extends Partial<ArchitectureOptions> {
  readonly form: Form;
}

/** Channels of the convolutions in each stage. */
const stages = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/** Images (N, channels, size, size) → logits (N, classes). Throws `bad-setting` for a size that the pooling does not fit. */
export function vgg16({ form, ...options }: VggOptions): Graph {
  const start = { linear: { init: normalOf(0.01) } };
  return network("vgg16-bn", options, start, (images, net) => {
    const b = images.builder;
    let x = images;
    let position = 0;
    b.scope("features", () => {
      for (const widths of stages) {
        for (const width of widths) {
          const conv = position === 0 ? net.stem : net.second;
          x = conv(x, net.scaled(width), `${position}`, { kernel: 3, stride: 1, bias: true });
          x = normRelu(x, `${position + 1}`);
          position += 3;
        }
        x = maxPool(x, 2, 2);
        position++;
      }
    });
    const flat = b.add("Flatten", [toGrid(x, form === "cifar" ? 1 : 7)]);
    if (form === "cifar") return net.linear(flat, net.classes, "classifier");
    const hidden = net.scaled(4096);
    const first = relu(net.linear(flat, hidden, "classifier.0"));
    const second = relu(net.linear(first, hidden, "classifier.3"));
    return net.linear(second, net.classes, "classifier.6");
  });
}

/** Means over the squares of a grid. */
function toGrid(x: Value, cells: number): Value {
  const side = x.shape[2] as number;
  if (side % cells !== 0) {
    throw new ScconvError("bad-setting", "the classifier does not fit images of this size", {
      where: "vgg16-bn",
      got: `features of ${side}×${side}`,
      need: `a multiple of ${cells}×${cells}: images whose size is a multiple of ${32 * cells}`,
      hint: "vgg16-bn-cifar takes other sizes",
    });
  }
  const square = side / cells;
  return square === 1 ? x : averagePool(x, square, square);
}
