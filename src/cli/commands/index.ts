import type { CommandModule } from "../command.js";

export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  /** A command's file, and what it needs, is loaded when it is asked for. */
  load(): Promise<{ default: CommandModule }>;
}

/** The commands. A new one is one file and one line here. */
export const commands: readonly CommandRow[] = [
  {
    name: "inspect",
    summary: "layers, parameters, multiply-adds, and which convolutions can be swapped",
    load: () => import("./inspect.js"),
  },
  {
    name: "swap",
    summary: "put SCConv in place of convolutions: structure only, fresh weights",
    load: () => import("./swap.js"),
  },
  {
    name: "slim",
    summary: "the main job: swap, calibrate, fine-tune against the original, measure, report",
    load: () => import("./slim.js"),
  },
  {
    name: "train",
    summary: "train a network from scratch, or go on with a run",
    load: () => import("./train.js"),
  },
  {
    name: "ablate",
    summary: "a grid of training runs over several seeds: the paper's ablations, or one's own",
    load: () => import("./ablate.js"),
  },
  {
    name: "eval",
    summary: "accuracy of a classifier on a data set's evaluation split",
    load: () => import("./eval.js"),
  },
  {
    name: "bench",
    summary: "latency of models, interleaved, each in a process of its own",
    load: () => import("./bench.js"),
  },
  {
    name: "run",
    summary: "run a model once on an array, tensors or an image",
    load: () => import("./run.js"),
  },
  {
    name: "features",
    summary: "feature maps as pictures, and how much of them repeats, layer by layer",
    load: () => import("./features.js"),
  },
  {
    name: "conform",
    summary: "golden vectors of the module against our graphs, forward and backward",
    load: () => import("./conform.js"),
  },
  {
    name: "zoo",
    summary: "architectures with their parameters and multiply-adds, with a unit in their blocks",
    load: () => import("./zoo.js"),
  },
  {
    name: "export",
    summary: "a trained network as ONNX of any operator set, or as weights for PyTorch",
    load: () => import("./export.js"),
  },
  {
    name: "studio",
    summary: "a page that examines, slims and times models in the browser, served on this machine",
    load: () => import("./studio.js"),
  },
  {
    name: "doctor",
    summary: "what works on this machine",
    load: () => import("./doctor.js"),
  },
];
