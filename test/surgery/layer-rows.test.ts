import { describe, expect, it } from "vitest";
import { decodeModel } from "../../src/graph/codec.js";
import { lower } from "../../src/ops/lower.js";
import { layerRows, totalParameters } from "../../src/surgery/layer-rows.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { trainableParts } from "../../src/train/parts.js";
import { tinyClassifier } from "../cli/models.js";

describe("the layer table", () => {
  const original = prepare(decodeModel(tinyClassifier({ width: 16 })).graph);
  const swapped = swap(original, { layers: "all" });
  const rows = layerRows(original, lower(swapped.graph), swapped);

  it("counts a unit by hand", () => {
    // C = 16: gate 2·16; squeezes 2 · 4·8; GWC 16·2·9 + 16; PWC1 16·4; PWC2 12·4; its own batch norm 2·16.
    expect(rows.map((r) => r.to)).toEqual([undefined, "SCConv"]);
    expect(rows[1]!.parameters).toEqual([16 * 16 * 9, 32 + 64 + 288 + 16 + 64 + 48 + 32]);
    const [before, after] = totalParameters(original, rows);
    expect(before - after).toBe(16 * 16 * 9 - 544);
  });

  it("counts what is trained, and all of it is trained", () => {
    const { name } = swapped.units[0]!;
    const { parameters } = trainableParts(swapped.graph);
    const trained = [...parameters].filter(([key]) => key.startsWith(`${name}.`));
    expect(trained.reduce((sum, [, t]) => sum + t.size, 0)).toBe(rows[1]!.parameters[1]);
  });
});
