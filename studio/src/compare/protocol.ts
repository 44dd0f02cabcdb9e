import type { ComparedLayer } from "scconv";
import type { ModelFiles } from "../worker/protocol.js";

/** A layer with feature maps. */
export interface SeenLayer {
  readonly name: string;
  readonly op: string;
  /** The same in the second model; undefined where it has none. */
  readonly other: { readonly name: string; readonly op: string } | undefined;
}

export interface Comparison {
  readonly layers: readonly ComparedLayer[];
  readonly parameters: readonly [first: number, second: number];
  /** Undefined where a size stays open in one of them. */
  readonly macs: readonly [first: number, second: number] | undefined;
  readonly seen: readonly SeenLayer[];
}

/** A worker that reads two models. */
export interface Comparer {
  compare(first: ModelFiles, second: ModelFiles, size?: number): Promise<Comparison>;
}
