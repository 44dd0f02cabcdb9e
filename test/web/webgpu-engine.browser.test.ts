import { describe, expect, it } from "vitest";
import { graphBuilder } from "../../src/ops/index.js";
import { webEngine } from "../../src/web.js";
import { engineCases } from "../runtime/engine.cases.js";
import { sameResults } from "./same-results.cases.js";

describe("ONNX Runtime on WebGPU", () => {
  const make = () => webEngine({ provider: "webgpu", threads: 1 });
  engineCases(make, { threadsOfSessions: false });
  sameResults(make);

  /** WebGPU has no Celu. */
  function twoNodes(nameOfRelu: string) {
    const b = graphBuilder({ name: "two" });
    const relu = b.add("Relu", [b.input("x", "float32", [1, 4])], {}, { name: nameOfRelu });
    b.output(b.add("Celu", [relu], {}, { name: "celu (1)" }), "y");
    return b.build();
  }

  it("tells where nodes are placed, and leaves the console alone", async () => {
    const engine = await make();
    const own = [console.log, console.error];
    const placement = await engine.placement(twoNodes("relu"));
    expect(placement?.find((p) => p.provider === "CPUExecutionProvider")?.nodes).toEqual([
      { op: "Celu", name: "celu (1)" },
    ]);
    expect(placement?.find((p) => p.provider === "WebGpuExecutionProvider")?.nodes?.[0]).toEqual({
      op: "Relu",
      name: "relu",
    });
    expect([console.log, console.error]).toEqual(own);
  });

  it("does not tell where a name would be taken for the log's own words", async () => {
    const engine = await make();
    expect(await engine.placement(twoNodes("a name\nof two lines"))).toBeUndefined();
  });
});
