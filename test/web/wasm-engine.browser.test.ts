import { describe } from "vitest";
import { webEngine } from "../../src/web.js";
import { engineCases } from "../runtime/engine.cases.js";
import { sameResults } from "./same-results.cases.js";

describe("ONNX Runtime as WebAssembly, one thread", () => {
  engineCases(() => webEngine({ threads: 1 }), { threadsOfSessions: false });
  sameResults(() => webEngine({ threads: 1 }));
});
