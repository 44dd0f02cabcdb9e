import { decodeModel } from "../../graph/codec.js";
import type { Graph, Model } from "../../graph/ir.js";
import { currentGraph } from "../../ops/current-graph.js";
import { externalBlobs } from "./external-blobs.js";
import { readBlob } from "./read-blob.js";

export interface OpenModelOptions {
  /** Files that hold the model's weights, where it keeps them beside it: found by the names that the model gives. */
  readonly external?: readonly File[] | undefined;
  /** For messages; default: the file's name. */
  readonly name?: string | undefined;
}

export interface OpenedModel {
  readonly model: Model;
  /** Of the .onnx file itself. */
  readonly bytes: Uint8Array;
  /** Of the file, with the data files that it names. */
  readonly size: number;
  /** What an engine opens. */
  readonly runnable: Uint8Array | Graph;
  /** Of `model`, brought up to the operator set that our rules are written for. */
  readonly graph: Graph;
}

/**
 * Reads and checks an ONNX file that was picked, dropped or fetched, to the same limits as on Node. Weights in files of their own
 * are taken from `external` by their names, whatever folder the model says that they are in; data files are read whole.
 *
 * Throws `not-an-onnx-file`, `invalid-graph`, `unsupported`, `bad-input` (too large), `not-found` (a data file is missing), `io`.
 */
export async function openModelFile(
  file: File | Blob | Uint8Array,
  { external = [], name }: OpenModelOptions = {},
): Promise<OpenedModel> {
  const where = name ?? (file instanceof Blob && "name" in file ? String(file.name) : "model");
  const bytes = file instanceof Uint8Array ? file : await readBlob(file, where);
  const blobs = externalBlobs(external);
  const model = decodeModel(bytes, where, { external: blobs.read });
  await blobs.load();
  return {
    model,
    bytes,
    size: blobs.files().reduce((sum, f) => sum + f.size, bytes.byteLength),
    graph: currentGraph(model.graph, where),
    runnable: blobs.files().length > 0 ? model.graph : bytes,
  };
}
