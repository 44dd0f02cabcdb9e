import type { Tensor } from "../../base/tensor.js";
import { floatAttr, type Graph, type Node } from "../../graph/ir.js";
import { type CruParameters, cruNames } from "../../nn/cru.js";
import type { PlacedUnit } from "../../nn/placed-unit.js";
import type { ScconvSettings } from "../../nn/scconv.js";
import { type Affine, affineOf } from "../fold-batch-norm.js";

/** A unit's constants. */
export interface Parameters {
  readonly settings: ScconvSettings;
  readonly gamma: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
  readonly cru: { readonly [K in keyof CruParameters]: Tensor | undefined };
  /** The batch norm behind it. */
  readonly affine: Affine | undefined;
  /** Whether no input of the unit is below 0. */
  readonly nonNegative: boolean;
}

/** `last` makes the unit's output (the batch norm, where there is one), `maker` its input. */
export function parametersOf(
  graph: Graph,
  { name, settings, norm }: PlacedUnit,
  { last, maker }: { readonly last: Node; readonly maker: Node | undefined },
): Parameters {
  const tensor = (suffix: string) => graph.initializers.get(`${name}.${suffix}`);
  const entries = Object.entries(cruNames).map(([key, suffix]) => [key, tensor(suffix)]);
  return {
    settings,
    gamma: tensor("sru.gn.weight")!.numbers(),
    // With scope channel nothing reads β, and a pruned graph has none.
    beta: tensor("sru.gn.bias")?.numbers() ?? [],
    cru: Object.fromEntries(entries) as Parameters["cru"],
    affine:
      norm &&
      affineOf(
        norm.parameters.map((p) => graph.initializers.get(p)!.numbers()),
        floatAttr(last, "epsilon", 1e-5),
      ),
    nonNegative: maker?.op === "Relu" || maker?.op === "Sigmoid",
  };
}

/** Σγ, kept 1e-6 away from zero (SPEC.md). */
export function sumOf(gamma: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < gamma.length; c++) sum += gamma[c]!;
  return Math.abs(sum) < 1e-6 ? (sum < 0 ? -1e-6 : 1e-6) : sum;
}

/** ln t/(1 − t): where the gate's sigmoid passes its threshold. */
export const limitOf = ({ threshold }: ScconvSettings): number => Math.log(threshold / (1 - threshold));
