import type { Graph } from "../../graph/ir.js";
import type { ConvUnit } from "../../nn/units.js";
import { densenet, densenets } from "../densenet.js";
import type { Where } from "../network.js";
import { octResnet50 } from "../oct-resnet.js";
import { resnet, resnets } from "../resnet.js";
import { resnetCifar } from "../resnet-cifar.js";
import { wideResnet } from "../wide-resnet.js";

interface Options {
  readonly unit: ConvUnit;
  readonly where: Where;
}

interface Counted {
  /** Which variant the paper's own figures are of, and how that was found out. */
  readonly variant: string;
  readonly build: (options: Options) => Graph;
  /** The same network in octaves. */
  readonly octaves?: () => Graph;
}

const small = { size: 32, init: "zeros" } as const;
const large = { size: 224, classes: 1000, init: "zeros" } as const;

/** The paper's networks, without weights: only to be counted. */
export const networks = {
  "ResNet-56": {
    variant:
      "He et al. 2016, §4.2, with 1×1 shortcuts and norms where widths differ (option B) and ten classes: 126.84 M to the last digit; option A, which `train resnet56` has, is 0.003 M and 0.29 M less",
    build: (o) => resnetCifar({ depth: 56, shortcuts: "B", classes: 10, ...small, ...o }),
  },
  "ResNet-50": {
    variant: "3×3 stem of stride 1, no pooling, ten classes",
    build: (o) => resnet({ ...resnets[50], form: "cifar", classes: 10, ...small, ...o }),
    octaves: () => octResnet50({ form: "cifar", classes: 10, ...small }),
  },
  "ResNeXt-29": {
    variant:
      "three stages of three bottlenecks, 320, 640 and 1280 channels wide inside, 256 to 1024 at their ends, ten classes: found from the rows of SPConv, SlimConv and TiedConv, which fit to 0.1 %; the standard row in 4 groups, units whole",
    build: (o) =>
      resnet({
        ...{ block: "bottleneck", stages: [3, 3, 3], groups: 4, widthPerGroup: 80, form: "cifar" },
        ...{ classes: 10, ...small, ...o },
      }),
  },
  "WRN-28-10": {
    variant:
      "100 classes; the stride in the second 3×3 of a block, as implementations for PyTorch have it that give its convolutions biases (0.01 M): Zagoruyko's own has it in the first and 5.24 G",
    build: (o) => wideResnet({ depth: 28, widen: 10, strideIn: "second", classes: 100, ...small, ...o }),
  },
  "DenseNet-121": {
    variant: "3×3 stem of stride 1, no pooling there, 100 classes",
    build: (o) => densenet({ blocks: densenets[121], form: "cifar", classes: 100, ...small, ...o }),
  },
  "ResNet-50 (ImageNet)": {
    variant: "torchvision's; its standard row alone is without norms: 4.09 G",
    build: (o) => resnet({ ...resnets[50], form: "imagenet", ...large, ...o }),
    octaves: () => octResnet50({ form: "imagenet", ...large }),
  },
  "ResNet-101 (ImageNet)": {
    variant: "torchvision's",
    build: (o) => resnet({ ...resnets[101], form: "imagenet", ...large, ...o }),
  },
} as const satisfies Record<string, Counted>;

export type CountedNetwork = keyof typeof networks;
