import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { compareLayers } from "../../src/cli/report/compare-layers.js";
import { mapPictures } from "../../src/cli/report/map-pictures.js";
import { memoryDataSet } from "../../src/data/memory-data-set.js";
import { normalizations } from "../../src/data/normalize.js";
import { momentsOf } from "../../src/features/moments.js";
import { redundancyOf } from "../../src/features/redundancy.js";
import { decodeModel } from "../../src/graph/codec.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { deploy } from "../../src/optimise/index.js";
import { silentProgress } from "../../src/runtime/progress.js";
import { layerRows } from "../../src/surgery/layer-rows.js";
import { prepare } from "../../src/surgery/prepare.js";
import { swap } from "../../src/surgery/swap.js";
import { tinyClassifier } from "./models.js";

const normalize = normalizations.none;
const engine = nodeEngine({ threads: 1 });
const context = () => ({
  ...{ threads: 1, seed: 0, progress: silentProgress, signal: new AbortController().signal },
});

/** The tiny classifier and what a swap of its second convolution makes of it, over random images. */
function swapped() {
  const original = prepare(decodeModel(tinyClassifier({ width: 16 })).graph);
  const plan = swap(original, { layers: "all", settings: {}, seed: 1 });
  const slimmed = deploy(plan.graph, plan.units);
  const random = new Random(5);
  const images = Uint8Array.from({ length: 40 * 64 }, () => random.int(256));
  const of = { images, labels: new Array(40).fill(0) };
  const classes = Array.from({ length: 10 }, (_, i) => `${i}`);
  const data = memoryDataSet({ ...of, ...{ channels: 1, height: 8, width: 8 }, classes }, { test: of });
  const layers = layerRows(original, slimmed, plan);
  return { original, slimmed, layers, data, input: "input", normalize, where: "tiny.onnx" };
}

describe("comparing layers", () => {
  it("measures the swapped ones alone, in both networks, the same in one pass and in many", async () => {
    const tiny = swapped();
    const whole = await compareLayers(engine, tiny, context());
    expect(whole.redundancy).toMatchObject({ images: 40 });
    const name = tiny.layers.find((l) => l.to !== undefined)!.name;
    expect(whole.redundancy.layers.map((l) => l.name)).toEqual([name]);
    const [row] = whole.redundancy.layers;
    for (const figures of [row!.before, row!.after]) {
      expect(figures).toMatchObject({ maps: 16, pixels: 40 * 64 });
      expect(figures.redundancy).toBeCloseTo(1 - figures.effectiveRank / 16, 12);
    }
    // The original's convolution is another than the unit with fresh weights.
    expect(row!.before.effectiveRank).not.toBeCloseTo(row!.after.effectiveRank, 3);
    expect(row!.through).toEqual(["Relu"]);
    const parts = await compareLayers(engine, tiny, context(), { atOnce: 1 });
    expect(parts.redundancy.layers).toEqual(whole.redundancy.layers);
    expect(parts.image).toEqual(whole.image);
    expect(whole.sru).toMatchObject({ name, maps: { input: { maps: 16, height: 8, width: 8 } } });
  });

  it("draws other images for another seed, and as many as it is told", async () => {
    const tiny = swapped();
    const [a, b, c] = await Promise.all(
      [0, 0, 1].map((seed) => compareLayers(engine, tiny, { ...context(), seed }, { images: 8 })),
    );
    expect(a!.redundancy).toMatchObject({ images: 8, layers: [{ before: { pixels: 8 * 64 } }] });
    expect(b!.redundancy.layers).toEqual(a!.redundancy.layers);
    expect(c!.image).not.toEqual(a!.image);
  });

  it("stops when told to", async () => {
    const signal = AbortSignal.abort();
    await expect(compareLayers(engine, swapped(), { ...context(), signal })).rejects.toThrow();
  });
});

describe("pictures of maps", () => {
  it("show the same maps of both networks, with what they are in words", async () => {
    const tiny = swapped();
    const comparison = await compareLayers(engine, tiny, context());
    const { markup } = await mapPictures(comparison, { channels: 1, height: 8, width: 8, normalize });
    expect(markup.match(/<svg class="maps"/g)).toHaveLength(2 + 4);
    expect(markup.match(/<svg [^>]*role="img" aria-label="[^"]{20,}"/g)).toHaveLength(2 + 4);
    expect(markup).toMatch(/<img alt="[^"]+" width="8" height="8"/);
    expect(markup).not.toMatch(/https?:|undefined|NaN/);
    // The image is the one that was fed: its bytes come back from the normalised values.
    const [, png] = /<img [^>]*base64,([^"]+)"/.exec(markup)!;
    const pixels = await sharp(Buffer.from(png!, "base64")).toColourspace("b-w").raw().toBuffer();
    const off = Array.from(comparison.image, (v, k) => Math.abs(v * 255 - pixels[k]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(0.51);
  });

  it("say why there is none of an SRU", async () => {
    const comparison = await compareLayers(engine, swapped(), context());
    const sru = { missing: "the unit has none (order c)" };
    const fed = { channels: 1, height: 8, width: 8, normalize } as const;
    const { markup } = await mapPictures({ ...comparison, sru }, fed);
    expect(markup).toContain("There is no picture of it: the unit has none (order c).");
  });

  it("stay small, and show marked pairs of a wide layer, whatever it makes", async () => {
    const random = new Random(9);
    const [maps, side] = [160, 56];
    const noise = () => {
      const values = Float32Array.from({ length: maps * side * side }, () => random.normal());
      // The last map repeats the one before it, but for its size.
      values.copyWithin((maps - 1) * side * side, (maps - 2) * side * side, (maps - 1) * side * side);
      const moments = momentsOf(maps, "wide");
      moments.add(values, side * side);
      const first = { values, maps, height: side, width: side };
      return {
        name: "wide",
        op: "Conv",
        value: "y",
        through: [],
        redundancy: redundancyOf(moments.result()),
        first,
      };
    };
    const pair = { name: "wide", before: noise(), after: noise() };
    const part = { ...pair.before.first };
    const comparison = {
      redundancy: { images: 1, seconds: 0, layers: [] },
      shown: [pair, pair, pair],
      sru: { ...pair, maps: { input: part, rich: part, poor: part, out: part } },
      image: new Float32Array(3 * 224 * 224).map(() => random.next()),
    };
    const fed = { channels: 3, height: 224, width: 224, normalize } as const;
    const { markup } = await mapPictures(comparison, fed);
    // Noise does not compress: nothing is larger.
    expect(markup.length).toBeLessThan(3e6);
    expect(markup).toContain("64 of 160 maps");
    expect(markup).toContain("A: 158 ~ 159 (1.000)");
    for (const m of [0, 61, 158, 159]) expect(markup).toMatch(new RegExp(`>${m}( A)?</text>`));
    expect(markup).not.toMatch(/>62<\/text>/);
  });
});
