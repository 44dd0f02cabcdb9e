import { ScconvError } from "../base/errors.js";
import type { Graph } from "../graph/ir.js";
import type { ConvUnit } from "../nn/units.js";
import { resnetCifar } from "./resnet-cifar.js";

export interface ArchitectureOptions {
  readonly classes: number;
  readonly channels: number;
  readonly size: number;
  readonly unit: ConvUnit;
  readonly where?: "second" | "all";
  readonly seed: number;
}

const cifar =
  (depth: number, widths?: readonly [number, number, number]) =>
  (options: ArchitectureOptions): Graph =>
    resnetCifar({ depth, ...(widths ? { widths } : {}), ...options });

/** Architectures by the name that `scconv train` takes. */
export const architectures = {
  // Small enough for a demonstration: one block to a stage.
  resnet8: cifar(8),
  "resnet8-wide": cifar(8, [32, 64, 128]),
  resnet20: cifar(20),
  resnet32: cifar(32),
  resnet44: cifar(44),
  resnet56: cifar(56),
  resnet110: cifar(110),
} as const satisfies Record<string, (options: ArchitectureOptions) => Graph>;

export type ArchitectureName = keyof typeof architectures;

export function architecture(name: string): (options: ArchitectureOptions) => Graph {
  if (!Object.hasOwn(architectures, name)) {
    throw new ScconvError("usage", `no architecture is called "${name}"`, {
      need: `one of ${Object.keys(architectures).join(", ")}`,
    });
  }
  return architectures[name as ArchitectureName];
}
