/*
 * ResNeXt: Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks", CVPR 2017.
 * Bottlenecks whose 3×3 convolution is in C groups (the cardinality) of d channels, d doubling with each stage (table 1);
 * for CIFAR 29 layers in three stages (§5.3).
 */
import type { ResnetOptions } from "./resnet.js";
import { resnets } from "./resnet.js";

type ResnextOptions = Pick<ResnetOptions, "block" | "stages" | "groups" | "widthPerGroup">;

export const resnexts = {
  "50-32x4d": { ...resnets[50], groups: 32, widthPerGroup: 4 },
  "101-32x8d": { ...resnets[101], groups: 32, widthPerGroup: 8 },
  "29-8x64d": { block: "bottleneck", stages: [3, 3, 3], groups: 8, widthPerGroup: 64 },
} as const satisfies Record<string, ResnextOptions>;
