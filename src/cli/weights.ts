import type { Command } from "commander";
import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import { readWeights } from "../host/node/weights.js";
import { scconvDefaults } from "../nn/scconv.js";
import type { UnitSettings } from "../nn/units.js";
import { type LoadedWeights, loadWeights } from "../weights/load-weights.js";

/** Where a network's first weights come from. */
export interface WeightsConfig {
  readonly file: string;
  /** Globs over parameters that keep fresh values. */
  readonly skip?: string;
}

export interface WeightsFlags {
  readonly weights?: string;
  readonly weightsSkip?: string;
}

export const weightsFlags = (command: Command): Command =>
  command
    .option("--weights <file>", "begin from these: .safetensors, or PyTorch's .pt of a state dict")
    .option(
      "--weights-skip <globs>",
      "parameters that keep fresh values: 'fc.*' where the classes are others",
    );

/** What the flags say of weights; undefined where there are none. */
export function weightsConfigOf({
  weights: file,
  weightsSkip: skip,
}: WeightsFlags): WeightsConfig | undefined {
  if (file !== undefined) return { file, ...(skip === undefined ? {} : { skip }) };
  if (skip === undefined) return undefined;
  throw new ScconvError("usage", "nothing to skip", {
    got: "--weights-skip",
    need: "--weights FILE with it",
  });
}

/** The network with the file's weights; `unit` is how its SCConv units compute. */
export async function withWeights(
  graph: Graph,
  { file, skip }: WeightsConfig,
  unit: UnitSettings,
): Promise<LoadedWeights> {
  const { tensors } = await readWeights(file);
  return loadWeights(graph, tensors, { where: file, skip, unit: { ...scconvDefaults, ...unit } });
}
