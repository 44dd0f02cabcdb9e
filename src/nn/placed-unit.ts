import type { ScconvSettings } from "./scconv.js";

/** An SCConv unit that stands in a graph, as rewrites need to know it. */
export interface PlacedUnit {
  /** Scope of its parameters: `${name}.sru.gn.weight` and so on (SPEC.md). */
  readonly name: string;
  /** What it reads and makes; the batch norm behind it included, where there is one. */
  readonly input: string;
  readonly output: string;
  readonly settings: ScconvSettings;
  /** Scale, shift, running mean and variance of the batch norm behind it. */
  readonly norm: { readonly parameters: readonly string[] } | undefined;
}
