import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";

/** The graph as the engine has rewritten it, its nodes in the order in which they run (as its profile has them, too). */
export async function asRun(graph: Graph): Promise<Graph> {
  const folder = await mkdtemp(join(tmpdir(), "scconv-as-run-"));
  try {
    const optimizedModelFilePath = join(folder, "as-run.onnx");
    const session = await ort.InferenceSession.create(encodeModel(modelOf(graph)), {
      ...{ optimizedModelFilePath, logSeverityLevel: 4 },
    });
    await session.release();
    return decodeModel(await readFile(optimizedModelFilePath), "as-run.onnx").graph;
  } finally {
    await rm(folder, { recursive: true });
  }
}
