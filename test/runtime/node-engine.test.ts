import { describe } from "vitest";
import { nodeEngine } from "../../src/host/node/ort.js";
import { engineCases } from "./engine.cases.js";

describe("ONNX Runtime on Node, one thread", () => {
  engineCases(() => nodeEngine({ threads: 1 }), { threadsOfSessions: true });
});
