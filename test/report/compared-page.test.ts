import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { lower } from "../../src/ops/lower.js";
import { comparedPage } from "../../src/report/compared-page.js";
import { compareLayers } from "../../src/surgery/compare-layers.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { tinyClassifier } from "../cli/models.js";

const graph = prepare(decodeModel(tinyClassifier({ width: 16 })).graph);
const other = lower(swap(graph, { layers: "all" }).graph);
const markup = "<script>alert(1)</script>";
const both = {
  names: ["a.onnx", markup],
  bytes: [2000, 1000],
  parameters: [200, 100],
  macs: undefined,
  times: [],
  version: "1.2.3",
} as const;

describe("the page of two models", () => {
  it("has the layers that differ, and no others", () => {
    const { layers } = compareLayers(graph, other);
    const same = layers.filter((l) => l.kind === "same");
    expect(same.length).toBeGreaterThan(0);
    const page = comparedPage({ ...both, layers });
    expect(page).toContain(`${layers.length - same.length} of ${layers.length} layers differ`);
    expect(page.match(/<tr>/g)).toHaveLength(1 + layers.length - same.length);
    expect(page).toContain("replaced");
    expect(page).toContain("−50.0 %");
    expect(page).not.toContain("On an image");
    expect(page).not.toContain("Latency");
    expect(page).not.toMatch(/<script|https?:|undefined/);
  });

  it("says so where nothing differs, and escapes what comes from files", () => {
    const { layers } = compareLayers(graph, graph);
    const side = { layer: markup, caption: markup, picture: "data:image/png;base64,AA==" };
    const look = { image: markup, normalize: "none", agreement: undefined, sides: [side, side] } as const;
    const page = comparedPage({ ...both, layers, look, note: markup });
    expect(page).toContain("Both have the same layers, with the same weights.");
    expect(page.match(/<img src="data:image\/png;base64,AA=="/g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|undefined/);
  });
});
