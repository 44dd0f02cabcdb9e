import type { ScconvSettings } from "../nn/scconv.js";

/** One SCConv unit that took the place of a convolution, as the passes after the swap need to know it. */
export interface UnitRecord {
  /** Scope of its parameters (`layer1.0.conv2`): `${name}.sru.gn.weight` and so on. */
  readonly name: string;
  /** The convolution's node name in the original file. */
  readonly node: string;
  /** What the convolution read and made, by name in the original graph; a batch norm that follows it in the file included. */
  readonly target: { readonly input: string; readonly output: string };
  /** What the unit reads and makes, by name in the new graph; the batch norm behind it included. */
  readonly input: string;
  readonly output: string;
  readonly channels: readonly [input: number, output: number];
  readonly settings: ScconvSettings;
  /** The batch norm behind the unit: its scale, shift, running mean and variance; `own` when the unit brought it. */
  readonly norm: { readonly own: boolean; readonly parameters: readonly string[] };
  /** Settings that were adapted to the widths: `groups 4 → 2`. */
  readonly adapted: readonly string[];
}
