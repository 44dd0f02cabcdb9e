import type { PlacedUnit } from "../nn/placed-unit.js";

/** One SCConv unit that took the place of a convolution. */
export interface UnitRecord extends PlacedUnit {
  /** The convolution's node name in the original file. */
  readonly node: string;
  /** What the convolution read and made, by name in the original graph; a batch norm that follows it in the file included. */
  readonly target: { readonly input: string; readonly output: string };
  readonly channels: readonly [input: number, output: number];
  /** The batch norm behind the unit; `own` when the unit brought it. */
  readonly norm: { readonly own: boolean; readonly parameters: readonly string[] };
  /** Settings that were adapted to the widths: `groups 4 → 2`. */
  readonly adapted: readonly string[];
}
