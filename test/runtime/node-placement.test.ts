import { describe, expect, it } from "vitest";
import { nodePlacement } from "../../src/runtime/node-placement.js";

/** As onnxruntime-web 1.30.0 prints them; names are the file's. */
const line = (at: number, text: string, severity = "V") =>
  `2026-11-27 16:00:16.044400 [${severity}:onnxruntime:, session_state.cc:${at} VerifyEachNodeIsAssignedToAnEp]${text}`;
const [title, all, heading, node] = [1377, 1380, 1383, 1385];
const split = [
  "2026-11-27 16:00:16.043100 [I:onnxruntime:, graph_transformer.cc:15 Apply] GraphTransformer Level1_RuleBasedTransformer modified: 0 with status: OK",
  line(title, " Node placements"),
  line(heading, "  Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 2"),
  line(node, "   Relu (Relu)"),
  line(node, "   MemcpyFromHost (Memcpy)"),
  line(heading, "  Node(s) placed on [CPUExecutionProvider]. Number of nodes: 3"),
  line(node, "   Conv (kept (by) us)"),
  line(node, "   Celu (<img src=x> (1))"),
  line(node, "   Softsign ()"),
  `\u001b[0;93m${line(1397, " Some nodes were not assigned to the preferred execution providers", "W")}\u001b[m`,
  "2026-11-27 16:00:16.044900 [V:onnxruntime:, session_state.cc:201 CreateKernels]",
];

describe("where nodes are placed, by the engine's log", () => {
  it("is read by provider, with names as they are", () => {
    expect(nodePlacement(split)).toEqual([
      {
        ...{ provider: "WebGpuExecutionProvider", count: 2 },
        nodes: [
          { op: "Relu", name: "Relu" },
          { op: "MemcpyFromHost", name: "Memcpy" },
        ],
      },
      {
        ...{ provider: "CPUExecutionProvider", count: 3 },
        nodes: [
          { op: "Conv", name: "kept (by) us" },
          { op: "Celu", name: "<img src=x> (1)" },
          { op: "Softsign", name: "" },
        ],
      },
    ]);
  });

  it("is a number alone where one provider has all", () => {
    const log = [
      line(title, " Node placements"),
      line(all, "  All nodes placed on [CPUExecutionProvider]. Number of nodes: 4"),
    ];
    expect(nodePlacement(log)).toEqual([{ provider: "CPUExecutionProvider", count: 4, nodes: undefined }]);
  });

  it.each<[string, readonly string[]]>([
    ["nothing was said", []],
    ["the lines are written in another way", split.map((l) => l.replace("placed on", "assigned to"))],
    ["a node's line is", split.map((l) => l.replace("Softsign ()", "Softsign: "))],
    ["a line is missing", split.filter((l) => !l.includes("Relu"))],
    ["a name is cut by the end of a line", split.flatMap((l) => l.replace("(by)", "\n").split("\n"))],
    [
      "a name holds what looks like lines of the log",
      split.flatMap((l) => l.replace("(by)", `\n${line(node, "   Sum (made up)")}`).split("\n")),
    ],
  ])("is not told where %s", (_, log) => {
    expect(nodePlacement(log)).toBeUndefined();
  });

  it("takes no name for a line of the log's", () => {
    const name = line(heading, "  Node(s) placed on [CPUExecutionProvider]. Number of nodes: 0");
    const log = split.map((l) => l.replace("Relu (Relu)", `Relu (${name})`));
    expect(nodePlacement(log)?.map((p) => p.nodes?.length)).toEqual([2, 3]);
    expect(nodePlacement(log)?.[0]?.nodes?.[0]).toEqual({ op: "Relu", name });
  });
});
