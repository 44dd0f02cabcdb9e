import type { PaperColumn } from "./grid.js";

/** Top-1 in Li, Wen, He, CVPR 2023, by the labels of our grids. */

export const table1: PaperColumn = {
  title: "Table 1: ResNet-50, CIFAR-100",
  top1: { standard: 78.6, "+S": 79.59, "+C": 79.21, "parallel S, C": 79.26, "C+S": 79.54, "S+C": 79.89 },
};

/** Figure 4 has no figures in print; Table 3 has two of its points, on ImageNet. */
export const table3: PaperColumn = {
  title: "Table 3: ResNet-50, ImageNet",
  top1: { standard: 76.15, "α = 1/2": 76.41, "α = 3/4": 76.79 },
};

/** Network, its name in the zoo, and classes. Not ResNeXt-29: which of them, the paper does not say, nor is its SlimConv ours. */
const rows = `
                                         standard OctConv SPConv Ghost SlimConv TiedConv SCConv
  ResNet-56     resnet56           10    93.27    93.11   93.49  92.35 93.51    92.87    94.12
  ResNet-56     resnet56           100   71.50    70.93   71.51  70.42 71.71    71.10    72.56
  ResNet-50     resnet50-cifar     10    95.09    95.25   95.32  94.30 95.35    95.44    95.92
  ResNet-50     resnet50-cifar     100   78.60    78.91   79.23  77.54 79.26    79.52    79.89
  WRN-28        wrn-28-10          10    95.21    –       95.37  95.25 95.43    95.48    95.64
  WRN-28        wrn-28-10          100   79.40    –       80.25  79.27 79.52    78.61    80.83
  DenseNet-121  densenet121-cifar  10    95.09    –       95.15  93.96 94.63    95.23    95.37
  DenseNet-121  densenet121-cifar  100   79.43    –       79.64  78.51 78.90    79.73    80.24
`;

export const table2: readonly PaperColumn[] = (() => {
  const [labels, ...networks] = rows
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/)) as [string[], ...string[][]];
  return networks.map(([name, architecture, classes, ...figures]) => {
    const known = labels.flatMap((label, i) => (figures[i] === "–" ? [] : [[label, Number(figures[i])]]));
    const title = `Table 2: ${name}, CIFAR-${classes}`;
    return { title, architecture: architecture!, classes: Number(classes), top1: Object.fromEntries(known) };
  });
})();
