import { describe, expect, it } from "vitest";
import { webEngine } from "../../src/web.js";
import { engineCases } from "../runtime/engine.cases.js";
import { sameResults } from "./same-results.cases.js";

describe("ONNX Runtime as WebAssembly, two threads", () => {
  engineCases(() => webEngine({ threads: 2 }), { threadsOfSessions: false });
  sameResults(() => webEngine({ threads: 2 }));

  it("has the threads that it was given, and says so when they are not those asked for later", async () => {
    expect(await webEngine({ threads: 2 })).toMatchObject({ threads: 2, notes: [] });
    const { threads, notes } = await webEngine({ threads: 1 });
    expect({ threads, notes }).toEqual({
      threads: 2,
      notes: [expect.stringMatching(/^2 threads in the place of 1: the engine was started/)],
    });
  });
});
