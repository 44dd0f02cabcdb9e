import type { SlimReport } from "../../src/surgery/report.js";

const layer = (
  stage: number,
  block: number,
  width: number,
  macs: number,
  error: readonly [number, number],
) => ({
  name: `/layer${stage}/layer${stage}.${block}/conv2/Conv`,
  from: "Conv 3×3",
  to: "SCConv",
  parameters: [width * width * 9 + width, Math.round(width * width * 1.8125 + 4 * width)] as const,
  macs: [macs, Math.round(macs * 0.21)] as const,
  error,
});

function measured(stage: number, block: number, maps: number, ranks: readonly [number, number]) {
  const figures = (rank: number, dead: number, median: number) => ({
    ...{ maps, pixels: 204_800, dead, effectiveRank: rank, redundancy: 1 - rank / maps },
    similarity: { median, alike: 0.01 },
  });
  const [before, after] = [figures(ranks[0], 1, 0.01), figures(ranks[1], 0, -0.03)];
  return { name: `/layer${stage}/layer${stage}.${block}/conv2/Conv`, through: [], before, after };
}

/** A report of the shape that `slim` makes, for tests and for looking at the page. */
export const report: SlimReport = {
  version: 1,
  command:
    "scconv slim resnet20_cifar10.onnx --data cifar10 --normalize imagenet --layers second --epochs 4 -o slim.onnx --report report",
  started: "2026-03-04T10:20:30.000Z",
  seconds: 1325,
  seed: 0,
  software: { scconv: "0.1.0", runtime: "onnxruntime-node 1.30.0", node: "v20.20.2" },
  machine: {
    cpu: "Example CPU @ 2.40GHz",
    cores: 2,
    instructions: ["avx2", "fma", "avx512f"],
    memoryBytes: 16e9,
    os: "Linux 6.1.0 x64",
  },
  input: "models/resnet20_cifar10.onnx",
  output: "out/slim.onnx",
  data: { source: "cifar10", trainImages: 50000, testImages: 10000, classes: 10, normalize: "imagenet" },
  settings: {
    layers: "second",
    alpha: 0.5,
    squeeze: 2,
    "conv-groups": 2,
    groups: 4,
    gate: "straight-through",
    epochs: 4,
    lr: 0.03,
    temperature: 4,
  },
  parameters: [269722, 154010],
  macs: [40551000, 23808000],
  bytes: [1092314, 655120],
  top1: [87.73, 85.12],
  latency: {
    batch: 1,
    threads: 2,
    provider: "cpu",
    runs: 50,
    models: [
      { medianMs: 0.82, p10Ms: 0.76, p90Ms: 1.05, peakRssMb: 91 },
      { medianMs: 0.94, p10Ms: 0.87, p90Ms: 1.31, peakRssMb: 93 },
    ],
    ratio: 1.15,
  },
  calibratedTop1: 42.3,
  epochs: [
    { epoch: 1, top1: 76.4, loss: 1.2, seconds: 310 },
    { epoch: 2, top1: 81.9, loss: 0.9, seconds: 305 },
    { epoch: 3, top1: 84.2, loss: 0.7, seconds: 307 },
    { epoch: 4, top1: 85.12, loss: 0.6, seconds: 306 },
  ],
  layers: [
    {
      name: "/conv1/Conv",
      from: "Conv 3×3",
      reason: "it is the network's first convolution",
      parameters: [448, 448],
      macs: [442368, 442368],
    },
    layer(1, 0, 16, 2359296, [1.42, 0.42]),
    layer(1, 1, 16, 2359296, [2.4, 0.41]),
    {
      name: "/layer2/layer2.0/conv1/Conv",
      from: "Conv 3×3",
      reason: "not named by --layers second",
      parameters: [4640, 4640],
      macs: [1179648, 1179648],
    },
    layer(2, 0, 32, 2359296, [3.12, 0.33]),
    { ...layer(3, 2, 64, 2359296, [6.81, 0.251]), reason: "groups 4 → 2" },
  ],
  plan: {
    trials: [
      { swapped: 2, saving: 0.2, lost: 3.21 },
      { swapped: 1, saving: 0.1, lost: -0.04 },
    ],
    batch: 1,
    totalMs: 0.82,
    predicted: 0.91,
    measured: 0.93,
    forms: [
      { alpha: 0.5, scope: "element" },
      { alpha: 0.25, scope: "channel" },
    ],
    layers: [
      {
        name: "/layer1/layer1.0/conv2/Conv",
        ms: 0.071,
        forms: [
          { saving: -0.02, uncertainty: 0.004, error: 0.42 },
          { saving: 0.03, uncertainty: 0.005, error: 0.51 },
        ],
        chosen: 1,
      },
      {
        name: "/layer3/layer3.2/conv2/Conv",
        ms: 0.064,
        forms: [
          { saving: -0.01, uncertainty: 0.003 },
          { saving: 0.001, uncertainty: 0.002 },
        ],
      },
    ],
  },
  redundancy: {
    images: 200,
    seconds: 9.4,
    layers: [
      measured(1, 0, 16, [8.9, 7.4]),
      measured(1, 1, 16, [8.4, 6.6]),
      measured(2, 0, 32, [15.9, 15.9]),
      measured(3, 2, 64, [15.1, 19.9]),
    ],
  },
};
