import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { lower } from "../../src/ops/lower.js";
import { examinedPage } from "../../src/report/examined-page.js";
import { layerRows, totalParameters } from "../../src/surgery/layer-rows.js";
import { layerTable } from "../../src/surgery/layer-table.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { tinyClassifier } from "../cli/models.js";

const graph = prepare(decodeModel(tinyClassifier({ width: 16 })).graph);
const swapped = swap(graph, { layers: "all" });
const rows = layerRows(graph, lower(swapped.graph), swapped);
const markup = "<script>alert(1)</script>";
const inspected = { ...layerTable(graph), bytes: 1234 };
const times = [
  {
    ...{ title: "wasm, 1 thread", note: "a runtime" },
    models: [
      { name: markup, medianMs: 12, p10Ms: 11, p90Ms: 13, openMs: 100, firstMs: 20, ratio: 1 },
      { name: "swap", medianMs: 6, p10Ms: 5, p90Ms: 7, openMs: 100, firstMs: 20, ratio: 0.5 },
    ],
  },
];
const headings = (page: string) => [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map((m) => m[1]);

describe("the page of an examined model", () => {
  it("has layers alone, where nothing else is known", () => {
    const page = examinedPage({ inspected, file: "tiny.onnx", version: "1.2.3", times: [] });
    expect(headings(page)).toEqual(["Layers", "The same by the command line"]);
    expect(page).toContain("scconv inspect tiny.onnx --html layers.html");
  });

  it("has the swap and the times, and no script in it", () => {
    const parameters = totalParameters(graph, rows);
    const swapNow = { rows, parameters, macs: undefined, settings: { alpha: 0.5 } };
    const page = examinedPage({ inspected, file: markup, version: "1.2.3", swap: swapNow, times });
    expect(headings(page)).toEqual(["Layers", "What if", "Latency", "The same by the command line, trained"]);
    expect(page).not.toMatch(/https?:|<script|<img|@import|url\(/);
    expect(page).toContain("default-src 'none'");
    expect(page).toContain('conv2.conv</td><td class="swap">Conv 3×3 → SCConv');
    expect(page).toContain("12.0 ms");
    expect(page).toContain(">0.50<");
    // What would not go through a shell as it is stays out of the command.
    expect(page).toContain("scconv slim MODEL.onnx --plan MODEL-plan.json");
  });
});
