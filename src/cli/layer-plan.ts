import type { ScconvSettings } from "../nn/scconv.js";
import type { Forms } from "../surgery/choose-layers.js";
import type { Trial } from "../surgery/choose-within.js";
import type { LayerChoice } from "../surgery/swap-plan.js";

/** A form of the unit that is tried everywhere. */
export type FormSettings = Pick<ScconvSettings, "alpha" | "scope">;

export interface LayerPlan {
  readonly threads: number | undefined;
  readonly batch: number;
  readonly forms: readonly FormSettings[];
  /** The convolutions that a unit fits. */
  readonly layers: readonly PlannedLayer[];
  /** Milliseconds of the network as it is. */
  readonly totalMs: number;
  /** Time after ÷ before: by the sum of what layers save, and of the whole network, measured. */
  readonly predicted: number;
  readonly measured: number;
  /** Choices that were tried for the accuracy that they lose, where that has a bound. */
  readonly trials?: readonly Trial[] | undefined;
}

export interface PlannedLayer {
  readonly name: string;
  /** Milliseconds of the convolution with its surroundings. */
  readonly ms: number;
  /** Milliseconds that each form saves there (below 0: loses), how sure that is, and the error that it leaves. */
  readonly forms: Forms;
  /** Which form it gets. */
  readonly chosen?: number | undefined;
}

/** The chosen layers with their settings, as `swap` takes them. */
export const choiceOf = ({ layers, forms }: Pick<LayerPlan, "layers" | "forms">): LayerChoice =>
  new Map(
    layers.flatMap(({ name, chosen }) => (chosen === undefined ? [] : [[name, forms[chosen]!] as const])),
  );
