import type { LayerRow, LayerTable, Redundancy, ScconvSettings, Spread } from "scconv";
import type { WebProvider } from "scconv/web";

/*
 * What the page and its workers say to each other. Everything here can be cloned; weights stay in the worker, and files go
 * across as handles or are handed over whole.
 */

/** A model, and files that hold its weights. */
export interface ModelFiles {
  readonly model: File;
  readonly external: readonly File[];
}

export interface ValueSummary {
  readonly name: string;
  readonly type: string;
}

export interface ModelSummary {
  readonly name: string;
  /** Data files included. */
  readonly size: number;
  readonly producer: string;
  readonly inputs: readonly ValueSummary[];
  readonly outputs: readonly ValueSummary[];
  /** Height or width is open in the file. */
  readonly open: boolean;
  readonly table: LayerTable;
  /** Milliseconds that reading and counting took. */
  readonly ms: number;
}

export type UnitSettings = Pick<
  ScconvSettings,
  | "alpha"
  | "squeeze"
  | "convGroups"
  | "groups"
  | "threshold"
  | "gate"
  | "scope"
  | "order"
  | "fuse"
  | "gateBias"
>;

/** Which convolutions, and what takes their place. */
export interface Choice {
  readonly layers: readonly string[];
  readonly settings: UnitSettings;
}

/** A convolution: what it costs, what would stand there, or why it stays. */
export interface WhatIfRow extends LayerRow {
  readonly possible: boolean;
  readonly chosen: boolean;
}

export interface WhatIf {
  readonly rows: readonly WhatIfRow[];
  readonly parameters: readonly [before: number, after: number];
  /** Undefined where a size stays open. */
  readonly macs: readonly [before: number, after: number] | undefined;
}

export interface Presets {
  readonly all: readonly string[];
  /** Of residual blocks the convolution nearest the addition. */
  readonly second: readonly string[];
}

/** The worker that holds the models. */
export interface Desk {
  open(files: ModelFiles, size?: number): Promise<ModelSummary>;
  presets(): Presets;
  whatIf(choice: Choice): WhatIf;
  /** The swapped network as a file, with fresh weights. */
  swapped(choice: Choice): Uint8Array<ArrayBuffer>;
  plan(choice: Choice): string;
  /** The swapped network in the form that one would run: norms folded, units in their short form. */
  deployed(choice: Choice): Uint8Array<ArrayBuffer>;
  /** The model in that form, with nothing swapped. */
  rewritten(): Uint8Array<ArrayBuffer>;
}

export interface TimingRequest {
  readonly models: readonly { readonly name: string; readonly files: ModelFiles }[];
  readonly provider: WebProvider;
  readonly threads: number;
  readonly batch: number;
  /** Height and width, where the file leaves them open. */
  readonly size?: number | undefined;
  readonly rounds: number;
}

export interface Timed extends Spread {
  readonly name: string;
  /** Until the engine has the model ready. */
  readonly openMs: number;
  /** The first inference. */
  readonly firstMs: number;
  /** To the first model: the median of the rounds' ratios. */
  readonly ratio: number;
  /** Nodes that were kept from WebGPU, because it computes them wrongly. */
  readonly kept: readonly NamedNodes[];
  /** Nodes that WebGPU's engine itself gave to the CPU; undefined where it did not tell. */
  readonly moved: readonly NamedNodes[] | undefined;
}

/** Of one operator. */
export interface NamedNodes {
  readonly op: string;
  readonly names: readonly string[];
}

export interface Timing {
  readonly provider: WebProvider;
  readonly threads: number;
  readonly device: string | undefined;
  readonly runtime: string;
  readonly notes: readonly string[];
  /** The engine's own start: its WebAssembly is fetched and compiled, the adapter is asked for. */
  readonly startMs: number;
  readonly models: readonly Timed[];
}

/** A worker that measures; its engine goes with it. */
export interface Clock {
  time(request: TimingRequest, onRound: (done: number) => void | Promise<void>): Promise<Timing>;
}

export interface LookRequest {
  readonly image: File;
  readonly layer: string;
  /** As `--normalize` takes it. */
  readonly normalize: string;
  /** Height and width, where the file leaves them open. */
  readonly size?: number | undefined;
  /** Of a convolution itself, without the normalisation and activation behind it. */
  readonly raw: boolean;
}

export interface Answer {
  readonly index: number;
  readonly score: number;
}

export interface LayerMaps {
  readonly name: string;
  readonly op: string;
  readonly through: readonly string[];
  readonly maps: number;
  readonly height: number;
  readonly width: number;
  /** (maps, height, width). */
  readonly values: Float32Array<ArrayBuffer>;
  readonly redundancy: Redundancy;
  /** The largest scores, where the model is a classifier. */
  readonly answers: readonly Answer[];
  /** All of them. */
  readonly scores: Float32Array<ArrayBuffer> | undefined;
}

/** A worker that runs one model on images. */
export interface Gallery {
  hang(
    files: ModelFiles,
    threads: number,
  ): Promise<{
    readonly layers: readonly { readonly name: string; readonly op: string }[];
    /** As the model's metadata says. */
    readonly normalize: string | undefined;
  }>;
  look(request: LookRequest): Promise<LayerMaps>;
}
