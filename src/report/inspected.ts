import type { LayerTable, TableRow } from "../surgery/layer-table.js";

/** What a layer's maps were found to be on the images that were given. */
export interface LayerRedundancy {
  readonly maps: number;
  readonly dead: number;
  readonly effectiveRank: number;
  /** 0 … 1. */
  readonly redundancy: number;
}

export interface InspectedLayer extends TableRow {
  /** Of one image, where that was asked for. */
  readonly ms?: number;
  readonly redundancy?: LayerRedundancy;
}

/** How layers were timed. */
export interface Timing {
  readonly runs: number;
  readonly threads: number;
  readonly runtime: string;
  /** All nodes together, and of it what the engine put in itself. */
  readonly ms: number;
  readonly engineMs: number;
}

export interface Inspected extends Omit<LayerTable, "layers" | "sized"> {
  /** Of the file. */
  readonly bytes: number;
  readonly layers: readonly InspectedLayer[];
  readonly timing?: Timing;
  /** How many the redundancy was measured on. */
  readonly images?: number;
}

/** Which layers say something: those with weights or multiply-adds, and those that were measured. */
export const shownLayers = (layers: readonly InspectedLayer[]): readonly InspectedLayer[] =>
  layers.filter((l) => l.parameters > 0 || l.macs !== 0 || l.redundancy !== undefined);
