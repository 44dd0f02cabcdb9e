import { describe } from "vitest";
import { webEngine } from "../../src/web.js";
import { engineCases } from "../runtime/engine.cases.js";
import { sameResults } from "./same-results.cases.js";

describe("ONNX Runtime on WebGPU", () => {
  engineCases(() => webEngine({ provider: "webgpu", threads: 1 }), { threadsOfSessions: false });
  sameResults(() => webEngine({ provider: "webgpu", threads: 1 }));
});
