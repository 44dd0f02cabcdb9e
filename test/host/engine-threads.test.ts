import { availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { afterEach, expect, it, vi } from "vitest";
import { nodeEngine } from "../../src/host/node/ort.js";
import { relu } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";

afterEach(() => vi.restoreAllMocks());

it("a session gets the engine's threads unless it asks for its own: the engine's default may be one for two cores", async () => {
  const create = vi.spyOn(ort.InferenceSession, "create");
  const b = graphBuilder({ name: "g" });
  b.output(relu(b.input("x", "float32", [1])), "y");
  const graph = b.build();
  const asked = async (engine: number | undefined, session: { threads?: number | undefined }) => {
    const opened = await nodeEngine({ threads: engine }).open(graph, session);
    await opened.release();
    const options = create.mock.lastCall![1] as ort.InferenceSession.SessionOptions;
    return options.intraOpNumThreads;
  };
  expect(await asked(undefined, {})).toBe(availableParallelism());
  expect(await asked(undefined, { threads: undefined })).toBe(availableParallelism());
  expect(await asked(3, { threads: undefined })).toBe(3);
  expect(await asked(3, { threads: 2 })).toBe(2);
});
