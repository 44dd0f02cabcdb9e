import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import type { Graph, Model } from "../graph/ir.js";
import { readModel } from "../host/node/models.js";
import { folderStore } from "../host/node/run-store.js";
import { readWeights } from "../host/node/weights.js";
import { scconvDefaults } from "../nn/scconv.js";
import { convUnit } from "../nn/units.js";
import { prepare } from "../surgery/prepare.js";
import { decodeCheckpoint } from "../train/checkpoint.js";
import { classifierOf } from "../train/classifier.js";
import { withCheckpoint } from "../train/stored-weights.js";
import { loadWeights } from "../weights/load-weights.js";
import { architecture } from "../zoo/index.js";
import type { NetworkFlags } from "./network-flags.js";
import { CONFIG_FILE, type RunConfig, readConfig } from "./run-config.js";
import { buildNetwork } from "./train-run.js";
import { settingsOf } from "./unit-flags.js";
import { type WeightsFlags, weightsConfigOf } from "./weights.js";

/** What is exported: a network as it is trained, and what is known of it. */
export interface ExportSource {
  readonly graph: Graph;
  /** The units that the zoo built into it. */
  readonly units: Pick<RunConfig, "conv" | "unit" | "adapt">;
  /** The file that it was read from, for its header and metadata. */
  readonly like: Model | undefined;
}

export interface SourceFlags extends NetworkFlags, WeightsFlags {
  readonly classes?: number;
  readonly size?: number;
}

/** A run folder (its best checkpoint), an ONNX file, or an architecture with `--weights`. */
export async function exportSource(source: string, flags: SourceFlags): Promise<ExportSource> {
  const found = await stat(source).catch(() => undefined);
  if (!found && !source.endsWith(".onnx")) return architectureSource(source, flags);
  const given = Object.keys(flags)[0];
  if (given !== undefined) {
    throw new ScconvError("usage", "only an architecture is built by such flags", {
      where: source,
      got: `--${given.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`,
    });
  }
  if (found?.isDirectory()) return runSource(source);
  const { graph, model } = await readModel(source);
  return { graph: prepare(graph), units: { conv: "standard", unit: {} }, like: model };
}

/** The run's best.onnx says what images and classes it was trained on; its best checkpoint has the weights. */
async function runSource(folder: string): Promise<ExportSource> {
  const store = folderStore(folder);
  const config = await readConfig(store, folder);
  const checkpoint = await store.read("best.safetensors");
  if (!checkpoint) {
    throw new ScconvError("not-found", "the run has no best checkpoint yet", {
      where: folder,
      need: "an epoch that is done",
    });
  }
  const { graph: best, model } = await readModel(join(folder, "best.onnx"));
  const { channels, height, classes } = classifierOf(best, join(folder, "best.onnx"));
  if (channels === undefined || height === undefined || classes === undefined) {
    throw new ScconvError("bad-input", "best.onnx does not say the sizes of the run's network", {
      where: folder,
    });
  }
  const network = buildNetwork(config, { channels, size: height, classes });
  const where = join(folder, "best.safetensors");
  const graph = withCheckpoint(network, decodeCheckpoint(checkpoint, where), where);
  return { graph, units: config, like: model };
}

async function architectureSource(name: string, flags: SourceFlags): Promise<ExportSource> {
  const { conv = "standard", layers, width, size } = flags;
  const build = architecture(name);
  const weights = weightsConfigOf(flags);
  if (!weights) {
    throw new ScconvError("usage", "an architecture alone has no weights", {
      where: name,
      need: `--weights FILE (or, in place of it, a folder with ${CONFIG_FILE}, or an .onnx file)`,
    });
  }
  const unit = settingsOf(conv, flags);
  const network = (sizes: {
    readonly classes?: number | undefined;
    readonly channels?: number | undefined;
  }) =>
    build({
      ...(layers === undefined ? {} : { where: layers }),
      ...(width === undefined ? {} : { width }),
      ...(size === undefined ? {} : { size }),
      ...(sizes.classes === undefined ? {} : { classes: sizes.classes }),
      ...(sizes.channels === undefined ? {} : { channels: sizes.channels }),
      unit: convUnit(conv, unit),
      init: weights.skip === undefined ? "zeros" : "random",
    });
  const { tensors } = await readWeights(weights.file);
  const found = sizesIn(tensors, network({}));
  const { graph } = loadWeights(network({ ...found, classes: flags.classes ?? found.classes }), tensors, {
    ...{ where: weights.file, skip: weights.skip, unit: { ...scconvDefaults, ...unit } },
  });
  return { graph, units: { conv, unit }, like: undefined };
}

/** The classes that the file's last linear layer tells apart, and the channels that its first convolution takes. */
function sizesIn(tensors: ReadonlyMap<string, Tensor>, { nodes }: Graph) {
  const dimsOf = (name: string | undefined) =>
    [...tensors].find(([key]) => key === name || key.endsWith(`.${name}`))?.[1].dims;
  return {
    classes: dimsOf(nodes.findLast((n) => n.op === "Gemm")?.inputs[1])?.[0],
    channels: dimsOf(nodes.find((n) => n.op === "Conv")?.inputs[1])?.[1],
  };
}
