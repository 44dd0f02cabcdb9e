import type { Tensor } from "../base/tensor.js";
import type { Graph } from "../graph/ir.js";

/** Tensors by the name of the graph input or output that they belong to. */
export type NamedTensors = ReadonlyMap<string, Tensor>;

export interface SessionOptions {
  /**
   * Threads inside one operator; default: the engine's. In a browser all sessions share the engine's threads, and any other
   * number is refused.
   */
  readonly threads?: number | undefined;
  /** How far the engine may rewrite the graph; default all. */
  readonly optimisation?: "none" | "basic" | "extended" | "all" | undefined;
  /**
   * Whether the engine lays all values out in one block after it has seen one run (default). The block comes beside the memory
   * of that first run, which is kept, too: for graphs that hold much at once it doubles what is held.
   */
  readonly oneBlock?: boolean | undefined;
  /** Where a profile in Chrome's trace format is to be written, by hosts that can. */
  readonly profile?: string | undefined;
}

/** One graph, ready to run. Sessions are dear (they never give all their memory back): make few, reuse them. */
export interface Session {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Nodes that were kept from the engine's provider, because it computes them wrongly; the engine moves others by itself. */
  readonly onCpu?: readonly string[] | undefined;
  /**
   * Runs the graph. With `fetches` the results are written into those tensors, which must have the outputs' types; what
   * is not in `fetches` is not computed. Without, all outputs are returned in fresh memory. Feeds that the graph has no input
   * for are not read.
   */
  run(feeds: NamedTensors, fetches?: NamedTensors): Promise<NamedTensors>;
  release(): Promise<void>;
}

export interface Engine {
  /** `onnxruntime-node 1.30.0`. */
  readonly runtime: string;
  readonly provider: string;
  /** Inside one operator, for sessions that do not say otherwise. */
  readonly threads: number;
  /** What is not as it was asked for, or slower than it could be, and why: a line each, for whoever shows what ran. */
  readonly notes: readonly string[];
  /**
   * A session over the bytes of an .onnx file, over a graph, or, where the host has files, over the file of this path with
   * the data files beside it (which must have been checked: the engine reads what the model names).
   */
  open(model: Uint8Array | Graph | string, options?: SessionOptions): Promise<Session>;
}
