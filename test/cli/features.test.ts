import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { encodeModel } from "../../src/graph/codec.js";
import { modelOf } from "../../src/graph/model.js";
import { graphBuilder } from "../../src/ops/index.js";
import { temporaryFolder, writeTiny } from "./models.js";
import { runCli } from "./run-cli.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const at = (name: string) => join(folder.path, name);
const features = (...args: string[]) => runCli(["features", ...args, "--normalize", "none"]);
const json = async (...args: string[]) => {
  const { stdout, stderr, status } = await features(...args, "--json");
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return JSON.parse(stdout);
};

/** Maps x, 2x, 0·x and 1 − x of a grey image x, as one layer called `maps`. */
function fourMaps(): Uint8Array {
  const b = graphBuilder({ name: "four" });
  const x = b.input("input", "float32", ["N", 1, 8, 8]);
  const y = b.scope("maps", () => {
    const weight = b.parameter("weight", Tensor.from("float32", [4, 1, 1, 1], [1, 2, 0, -1]));
    return b.add("Conv", [x, weight, b.parameter("bias", Tensor.from("float32", [4], [0, 0, 0, 1]))]);
  });
  b.output(y, "y");
  return encodeModel(modelOf(b.build()));
}

beforeAll(async () => {
  folder = await temporaryFolder();
  const random = new Random(4);
  const pixels = Buffer.from(Uint8Array.from({ length: 64 }, () => 1 + random.int(255)));
  await sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } })
    .png()
    .toFile(at("image.png"));
  await writeFile(at("four.onnx"), fourMaps());
  await writeTiny(at("tiny.onnx"));
  await writeFile(at("text.png"), "no image");
});
afterAll(() => folder.remove());

describe("features", () => {
  it("measures what was built to be known", async () => {
    const { images, layers } = await json(at("four.onnx"), "--image", at("image.png"));
    expect(images).toBe(1);
    expect(layers).toHaveLength(1);
    expect(layers[0]).toMatchObject({
      op: "Conv",
      size: [8, 8],
      maps: 4,
      dead: 1,
      deadMaps: [2],
      zeros: 0.25,
    });
    expect(layers[0].name).toMatch(/^maps\./);
    expect(layers[0].mostAlike.map((p: { maps: number[] }) => p.maps)).toEqual([[0, 1]]);
    // x and 2x are one direction, and so is 1 − x: one of four.
    expect(layers[0].effectiveRank).toBeCloseTo(1, 5);
    expect(layers[0].redundancy).toBeCloseTo(0.75, 5);
    expect(layers[0].similarity).toMatchObject({ pairs: 3, alike: 1 / 3 });
  });

  it("draws each layer and a sheet, in both formats and both scales, with its maps in them", async () => {
    for (const scale of ["map", "common"]) {
      const out = at(`drawn-${scale}`);
      const args = [at("tiny.onnx"), "--image", at("image.png"), "--out", out, "--scale", scale];
      const { files, layers } = await json(...args);
      expect(layers).toHaveLength(2);
      expect((await readdir(out)).sort()).toEqual([...files].sort());
      expect(files).toHaveLength(6);
      for (const file of files.filter((f: string) => f.endsWith(".png"))) {
        const { width, height } = await sharp(join(out, file)).metadata();
        const svg = await readFile(join(out, file.replace(/png$/, "svg")), "utf8");
        expect(svg).toContain(`width="${width}" height="${height}"`);
        expect(svg).toMatch(/conv[12]\.conv/);
      }
    }
    const tile = async (scale: string, column: number) => {
      const folder = at(`four-${scale}`);
      await json(at("four.onnx"), "--image", at("image.png"), "--out", folder, "--scale", scale);
      const [png] = (await readdir(folder)).filter((f) => f.endsWith(".png"));
      const box = { left: 16 + column * 72, top: 64, width: 64, height: 64 };
      const { data, info } = await sharp(join(folder, png!))
        .extract(box)
        .raw()
        .toBuffer({ resolveWithObject: true });
      // The middle of each of 8×8 pixels.
      return Array.from(
        { length: 64 },
        (_, k) => data[((Math.floor(k / 8) * 8 + 4) * 64 + (k % 8) * 8 + 4) * info.channels]!,
      );
    };
    const x = [...(await sharp(at("image.png")).toColourspace("b-w").raw().toBuffer())];
    const [low, high] = [Math.min(...x), Math.max(...x)];
    const near = (got: readonly number[], want: readonly number[]) =>
      expect(Math.max(...got.map((g, k) => Math.abs(g - want[k]!)))).toBeLessThanOrEqual(1);
    near(
      await tile("map", 0),
      x.map((v) => ((v - low) / (high - low)) * 255),
    );
    // All maps from 0, of the dead one, to twice the largest pixel.
    near(
      await tile("common", 1),
      x.map((v) => (v / high) * 255),
    );
  });

  it("puts another model beside the first where both have the layer", async () => {
    const args = ["--image", at("image.png"), "--compare", at("tiny.onnx"), "--out", at("beside")];
    const { layers } = await json(at("tiny.onnx"), ...args);
    for (const layer of layers)
      expect(layer.compared).toMatchObject({ name: layer.name, redundancy: layer.redundancy });
    const { width: wide } = await sharp(at("beside/sheet.png")).metadata();
    const { width: single } = await sharp(at("drawn-map/sheet.png")).metadata();
    expect(wide).toBe(2 * single!);
    const other = await features(at("four.onnx"), "--image", at("image.png"), "--compare", at("tiny.onnx"));
    expect(other.stderr).toMatch(/^scconv: warning: .*tiny\.onnx has none of the layers/);
    expect(other.stdout).toMatch(/compared +not there/);
    expect(other.status).toBe(0);
  });

  it("says where the images have too few pixels for the rank to mean anything", async () => {
    await sharp(at("image.png")).resize(8, 8).png().toFile(at("same.png"));
    const wide = await writeTiny(at("wide.onnx"), { width: 64 });
    const one = await features(wide, "--image", at("image.png"), "--json");
    expect(one.stderr).toMatch(/64 maps and only 64 pixels.*can not exceed 63/);
    const two = await features(wide, "--image", at("image.png"), at("same.png"), "--json");
    expect(two.stderr).toBe("");
    expect(JSON.parse(two.stdout).layers[0]).toMatchObject({ maps: 64, pixels: 128 });
  });

  it("takes layers by name, by glob, and other nodes that make maps", async () => {
    const of = async (layer: string) =>
      (await json(at("tiny.onnx"), "--image", at("image.png"), "--layer", layer)).layers.map(
        (l: { op: string }) => l.op,
      );
    expect(await of("*conv2*")).toEqual(["Conv"]);
    expect(await of("Relu*")).toEqual(["Relu", "Relu"]);
  });

  it("refuses what it can not do, in one line, and leaves nothing behind", async () => {
    await mkdir(at("full"));
    await writeFile(at("full/mine.txt"), "mine");
    const image = ["--image", at("image.png")];
    const cases: [args: string[], status: number, says: RegExp][] = [
      [
        [at("tiny.onnx"), ...image, "--layer", "conv3.Conv", "--out", at("new")],
        1,
        /"conv3\.Conv".*nearest: conv/,
      ],
      [[at("tiny.onnx"), "--image", at("text.png"), "--out", at("new")], 1, /text\.png.*JPEG, PNG or WebP/],
      [[at("tiny.onnx"), "--image", at("absent.png"), "--out", at("new")], 1, /absent\.png/],
      [[at("tiny.onnx"), ...image, "--out", at("full")], 1, /exists already.*--force/],
      [[at("tiny.onnx"), ...image, "--scale", "wide"], 2, /map, common/],
      [[at("tiny.onnx")], 2, /--image/],
    ];
    const before = (await readdir(folder.path)).sort();
    for (const [args, status, says] of cases) {
      const result = await features(...args);
      expect(result.stderr).toMatch(says);
      expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(result.stdout).toBe("");
      expect(result.status).toBe(status);
    }
    expect((await readdir(folder.path)).sort()).toEqual(before);
    expect(await readdir(at("full"))).toEqual(["mine.txt"]);
    await json(at("tiny.onnx"), ...image, "--out", at("full"), "--force");
    expect(await readdir(at("full"))).toContain("mine.txt");
    expect(await readdir(at("full"))).toContain("sheet.png");
  });

  const shared = "../shared/models/resnet20_cifar10.onnx";
  it.skipIf(!existsSync(shared))(
    `measures every convolution of a network from elsewhere (${shared})`,
    async () => {
      const image = at("colour.png");
      await sharp(at("image.png")).resize(32, 32).toColourspace("srgb").png().toFile(image);
      // Twice: the last stage has 64 maps, and 64 pixels of one image would be too few.
      const { layers } = await json(shared, "--image", image, image);
      expect(layers).toHaveLength(19);
      for (const { maps, redundancy, effectiveRank, dead } of layers) {
        expect(redundancy).toBeCloseTo(1 - effectiveRank / maps, 12);
        expect(redundancy).toBeGreaterThan(0);
        expect(redundancy).toBeLessThan(1);
        expect(dead).toBeLessThan(maps);
      }
    },
  );
});
