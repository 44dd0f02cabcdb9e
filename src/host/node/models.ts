import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { distance } from "fastest-levenshtein";
import { ScconvError } from "../../base/errors.js";
import { decodeModel, encodeModel } from "../../graph/codec.js";
import type { Graph, Model } from "../../graph/ir.js";
import { verify } from "../../graph/verify.js";
import { operators } from "../../ops/index.js";
import { upgrade } from "../../ops/upgrade.js";
import { fileError } from "./file-errors.js";
import { type WriteOptions, writeFileWhole } from "./files.js";

export interface ReadModel {
  readonly model: Model;
  readonly bytes: Uint8Array;
  /** Of `model`, brought up to the operator set that our rules are written for. */
  readonly graph: Graph;
}

/** Reads and checks an ONNX file: what the engine sees afterwards is well formed. */
export async function readModel(path: string): Promise<ReadModel> {
  const info = await stat(path).catch(async (cause) => {
    if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR")
      throw fileError("cannot read the model", path, cause);
    const near = await nearestFile(path, ".onnx");
    const hint = near && `did you mean ${near}?`;
    throw new ScconvError("not-found", "no such file", { where: path, hint, cause });
  });
  if (info.isDirectory()) {
    throw new ScconvError("bad-input", "is a folder", { where: path, need: "an .onnx file" });
  }
  const bytes = await readFile(path).catch((cause) => {
    throw fileError("cannot read the model", path, cause);
  });
  const model = decodeModel(bytes, path);
  return { model, bytes, graph: checked(model.graph, path) };
}

/** The rules are written for one operator set: what is checked is the graph brought up to it. */
function checked(graph: Graph, where: string): Graph {
  try {
    const current = upgrade(graph);
    verify(current, operators);
    return current;
  } catch (error) {
    if (!(error instanceof ScconvError)) throw error;
    throw new ScconvError(error.code, error.message, { where, cause: error });
  }
}

/** Writes an ONNX file, whole or not at all; returns its size in bytes. */
export async function writeModel(path: string, model: Model, options?: WriteOptions): Promise<number> {
  const bytes = encodeModel(model);
  await writeFileWhole(path, bytes, options);
  return bytes.byteLength;
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
