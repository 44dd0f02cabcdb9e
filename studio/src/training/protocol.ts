import type { EpochMetrics, LayerRow, Recipe, SlimSettings } from "scconv";
import type { PlacedFile, WebProvider } from "scconv/web";
import type { Choice, ModelFiles } from "../worker/protocol.js";

/* What the page and the worker that trains say to each other; everything here can be cloned. */

export interface ImagesRequest {
  readonly model: ModelFiles;
  readonly files: readonly PlacedFile[];
  /** First so many images. */
  readonly limit: number | undefined;
  /** Share that is held out where the files have no split of their own. */
  readonly holdOut: number;
  readonly seed: number;
}

export interface ImagesSummary {
  readonly name: string;
  readonly classes: readonly string[];
  /** Of the model. */
  readonly outputs: number | undefined;
  readonly train: number;
  readonly test: number;
  /** The files have no split of their own. */
  readonly heldOut: boolean;
  readonly height: number;
  readonly width: number;
  /** As the model's metadata says. */
  readonly normalize: string | undefined;
}

export interface TrainingRequest {
  readonly choice: Choice;
  readonly provider: WebProvider;
  readonly threads: number;
  /** As `--normalize` takes it. */
  readonly normalize: string;
  readonly seed: number;
  readonly recipe: Recipe;
  readonly settings: SlimSettings;
}

export type TrainingEvent =
  | {
      readonly kind: "engine";
      readonly runtime: string;
      readonly provider: WebProvider;
      readonly threads: number;
      readonly device: string | undefined;
      readonly notes: readonly string[];
    }
  /** Of one part of the work. `ms`: without pauses. */
  | {
      readonly kind: "progress";
      readonly label: string;
      readonly done: number;
      readonly total: number;
      readonly images: number;
      readonly ms: number;
      readonly note: string;
    }
  /** `ms`: of all steps and evaluations so far, without pauses. */
  | {
      readonly kind: "step";
      readonly step: number;
      readonly steps: number;
      readonly loss: number;
      readonly ms: number;
    }
  | { readonly kind: "calibrated"; readonly top1: number; readonly calibratedTop1: number }
  | { readonly kind: "epoch"; readonly metrics: EpochMetrics };

export interface TrainingOutcome {
  /** Why it ended before its time: the user's wish, or what went wrong. */
  readonly ended: "stopped" | { readonly diverged: string } | undefined;
  /** Whose weights these are: of an epoch, of the step at which it ended, or of the calibration. */
  readonly kept: { readonly epoch: number } | { readonly step: number } | "calibration";
  /** Per cent on the held-out images: the original, and the file that is to be downloaded. */
  readonly top1: readonly [number, number];
  readonly calibratedTop1: number;
  readonly epochs: readonly EpochMetrics[];
  readonly parameters: readonly [number, number];
  readonly macs: readonly [number, number] | undefined;
  readonly bytes: readonly [number, number];
  readonly layers: readonly LayerRow[];
  /** ISO 8601. */
  readonly started: string;
  /** Without pauses. */
  readonly seconds: number;
  readonly runtime: string;
}

/** Deployed: norms folded, units in their short form. Training: as it was trained, to be slimmed or trained on. */
export type ModelForm = "deployed" | "training";

/** A worker that trains one model on images. */
export interface Workshop {
  /** Opens the model, where it is not open yet, and looks through the files. */
  takeImages(request: ImagesRequest): Promise<ImagesSummary>;
  train(
    request: TrainingRequest,
    onEvent: (event: TrainingEvent) => void | Promise<void>,
  ): Promise<TrainingOutcome>;
  /** Holds before the next step. */
  pause(): void;
  resume(): void;
  /** Ends it with what it has reached. */
  stop(): void;
  trained(form: ModelForm): Uint8Array<ArrayBuffer>;
}
