import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { distance } from "fastest-levenshtein";
import { ScconvError } from "../../base/errors.js";
import { decodeModel, encodePieces } from "../../graph/codec.js";
import { bytesOfPieces, layOut, needsDataFile } from "../../graph/data-file.js";
import type { Graph, Model } from "../../graph/ir.js";
import { limits } from "../../graph/limits.js";
import { currentGraph } from "../../ops/current-graph.js";
import { type ExternalOptions, externalFiles } from "./external-data.js";
import { type WriteOptions, writeFileWhole } from "./files.js";
import { readRegularFile } from "./read-file.js";

export interface ReadModel {
  readonly model: Model;
  /** Of the .onnx file itself. */
  readonly bytes: Uint8Array;
  /** On disk, data files included. */
  readonly size: number;
  /** What an engine opens. */
  readonly runnable: Uint8Array | string | Graph;
  /** Of `model`, brought up to the operator set that our rules are written for. */
  readonly graph: Graph;
}

/**
 * Bytes of weights and nodes from which the engine gets a data file, which it maps. Of a model in one piece of memory it makes two
 * copies before it has its weights: that much memory is worth more than the seconds that writing the file takes.
 */
export const mostInMemory = 2 ** 29;

/**
 * Reads and checks an ONNX file: what the engine sees afterwards is well formed. Weights in data files beside it are checked,
 * and read when they are asked for.
 */
export async function readModel(path: string, options: ExternalOptions = {}): Promise<ReadModel> {
  const bytes = await bytesOf(path);
  const external = externalFiles(path, options);
  const model = decodeModel(bytes, path, { external: external.read });
  const graph = currentGraph(model.graph, path);
  const files = external.files();
  return {
    model,
    bytes,
    graph,
    size: files.reduce((sum, f) => sum + f.bytes, bytes.byteLength),
    runnable: runnableOf(path, bytes, { model, files }),
  };
}

/**
 * With data files, the engine opens the model by its path and maps them into memory. It refuses links, also those that were
 * allowed here: then it gets the graph, weights and all; as of a large file without them.
 */
function runnableOf(
  path: string,
  bytes: Uint8Array,
  { model, files }: { model: Model; files: readonly { readonly linked: boolean }[] },
): Uint8Array | string | Graph {
  if (files.length === 0) return needsDataFile(model.graph, mostInMemory) ? model.graph : bytes;
  return files.some((f) => f.linked) ? model.graph : path;
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readRegularFile(path, "the model", limits.fileBytes);
  } catch (error) {
    if (!(error instanceof ScconvError) || error.code !== "not-found") throw error;
    const near = await nearestFile(path, ".onnx");
    const hint = near && `did you mean ${near}?`;
    throw new ScconvError("not-found", "no such file", { where: path, hint, cause: error });
  }
}

export interface WriteModelOptions extends WriteOptions {
  /** Whether weights go to a file beside the model: `auto` where one file of less than 2 GiB does not hold them. */
  readonly external?: "auto" | "always" | undefined;
}

/**
 * Writes an ONNX file, whole or not at all; returns its size in bytes, with that of the data file `NAME.onnx.data` where
 * there is one. Weights go from where they are to the file one after the other.
 */
export async function writeModel(
  path: string,
  model: Model,
  { force, external = "auto" }: WriteModelOptions = {},
): Promise<number> {
  if (external === "auto" && !needsDataFile(model.graph)) {
    const { pieces, length } = encodePieces(model);
    await writeFileWhole(path, bytesOfPieces(pieces), { force });
    return length;
  }
  const data = layOut(model.graph, `${basename(path)}.data`);
  const { pieces, length } = encodePieces(model, { external: (name) => data.places.get(name) });
  const dataPath = `${path}.data`;
  await writeFileWhole(dataPath, bytesOfPieces(data.pieces), { force });
  try {
    await writeFileWhole(path, bytesOfPieces(pieces), { force });
  } catch (error) {
    // A data file without its model is of no use; one that was replaced is gone already.
    await rm(dataPath, { force: true });
    throw error;
  }
  return length + data.length;
}

/** The file of this ending in the same folder whose name is closest, when it is close enough to be meant. */
export async function nearestFile(path: string, ending: string): Promise<string | undefined> {
  const name = basename(path);
  const names = await readdir(dirname(path)).catch(() => []);
  const ranked = names
    .filter((n) => n.endsWith(ending))
    .map((n) => ({ n, d: distance(n, name) }))
    .sort((a, b) => a.d - b.d);
  const best = ranked[0];
  return best && best.d <= Math.max(2, name.length / 4) ? join(dirname(path), best.n) : undefined;
}
