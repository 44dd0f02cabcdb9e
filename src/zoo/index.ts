import { distance } from "fastest-levenshtein";
import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { densenet, densenets } from "./densenet.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import type { ArchitectureOptions } from "./network.js";
import { type Form, type ResnetOptions, resnet, resnets } from "./resnet.js";
import { resnetCifar } from "./resnet-cifar.js";
import { resnexts } from "./resnext.js";
import { vgg16 } from "./vgg.js";
import { wideResnet, wideResnet50 } from "./wide-resnet.js";

export { type ArchitectureOptions, type Where, wheres } from "./network.js";

export interface Architecture {
  /** Paper and depth, in a few words. */
  readonly about: string;
  /** Image size and classes where nothing else is asked for. */
  readonly size: number;
  readonly classes: number;
  readonly build: (options: Partial<ArchitectureOptions>) => Graph;
}

type Build = Architecture["build"];

/** For small images; what the literature counts is 32×32 and ten classes. */
const small = (about: string, build: Build): Architecture => ({ about, size: 32, classes: 10, build });

/** A network of ImageNet under its name, and its CIFAR form (3×3 stem of stride 1, no pooling) under `name-cifar`. */
const both = (name: string, about: string, build: (form: Form) => Build): Record<string, Architecture> => ({
  [name]: { about, size: 224, classes: 1000, build: build("imagenet") },
  [`${name}-cifar`]: small(`${about}, for small images`, build("cifar")),
});

const resnetOf =
  (shape: Omit<ResnetOptions, "form">) =>
  (form: Form): Build =>
  (options) =>
    resnet({ ...options, ...shape, form });

/** Architectures by the name that `scconv train` takes. */
export const architectures: Readonly<Record<string, Architecture>> = {
  resnet8: small("CIFAR ResNet, one block to a stage, for demonstrations", (o) =>
    resnetCifar({ ...o, depth: 8 }),
  ),
  "resnet8-wide": small("the same, twice as wide", (o) =>
    resnetCifar({ ...o, depth: 8, widths: [32, 64, 128] }),
  ),
  ...Object.fromEntries(
    [20, 32, 44, 56, 110].map((depth) => [
      `resnet${depth}`,
      small("CIFAR ResNet (He 2016)", (o) => resnetCifar({ ...o, depth })),
    ]),
  ),
  ...both("resnet18", "ResNet (He 2016), basic blocks", resnetOf(resnets[18])),
  ...both("resnet34", "ResNet (He 2016), basic blocks", resnetOf(resnets[34])),
  ...both("resnet50", "ResNet (He 2016), bottlenecks", resnetOf(resnets[50])),
  ...both("resnet101", "ResNet (He 2016), bottlenecks", resnetOf(resnets[101])),
  ...both("resnet152", "ResNet (He 2016), bottlenecks", resnetOf(resnets[152])),
  ...both("resnext50-32x4d", "ResNeXt (Xie 2017)", resnetOf(resnexts["50-32x4d"])),
  ...both("resnext101-32x8d", "ResNeXt (Xie 2017)", resnetOf(resnexts["101-32x8d"])),
  "resnext29-8x64d": small("ResNeXt for CIFAR (Xie 2017)", resnetOf(resnexts["29-8x64d"])("cifar")),
  "wrn-16-8": small("wide ResNet (Zagoruyko 2016)", (o) => wideResnet({ ...o, depth: 16, widen: 8 })),
  "wrn-28-10": small("wide ResNet (Zagoruyko 2016)", (o) => wideResnet({ ...o, depth: 28, widen: 10 })),
  ...both("wide-resnet50-2", "wide ResNet (Zagoruyko 2016), bottlenecks", resnetOf(wideResnet50)),
  ...both(
    "densenet121",
    "DenseNet-BC (Huang 2017)",
    (form) => (o) => densenet({ ...o, blocks: densenets[121], form }),
  ),
  ...both(
    "densenet169",
    "DenseNet-BC (Huang 2017)",
    (form) => (o) => densenet({ ...o, blocks: densenets[169], form }),
  ),
  ...both("vgg16-bn", "VGG-16, batch-normalised (Simonyan 2015)", (form) => (o) => vgg16({ ...o, form })),
  ...both("mobilenet-v2", "MobileNetV2 (Sandler 2018)", (form) => (o) => mobilenetV2({ ...o, form })),
};

/** The row of a name; torchvision's spelling (`vgg16_bn`) is understood. Throws `usage` for any other. */
function rowOf(name: string): [key: string, row: Architecture] {
  const key = name.replaceAll("_", "-");
  if (Object.hasOwn(architectures, key)) return [key, architectures[key]!];
  const near = Object.keys(architectures).toSorted((a, b) => distance(a, key) - distance(b, key))[0];
  throw new ScconvError("usage", `no architecture is called "${name}"`, {
    need: "one that scconv zoo lists",
    hint: `did you mean ${near}?`,
  });
}

/** Builds the architecture of a name; what is not given is its own default, and the standard convolution. */
export function architecture(name: string): (options?: Partial<ArchitectureOptions>) => Graph {
  const [key, { build, size, classes }] = rowOf(name);
  return (options = {}) => ({ ...build({ size, classes, ...options }), name: key });
}
