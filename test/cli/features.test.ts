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
import { temporaryFolder, writeIdx, writeTiny } from "./models.js";
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

  it("draws what the SRU of each unit does, and says where it can not", async () => {
    const swapped = async (name: string, ...flags: string[]) => {
      const { status, stderr } = await runCli([
        ...["swap", at("wide.onnx"), "-o", at(name), "--layers", "all", ...flags],
      ]);
      expect(stderr).not.toMatch(/error/);
      expect(status).toBe(0);
      return at(name);
    };
    await writeTiny(at("wide.onnx"), { width: 64 });
    const draw = async (model: string, out: string) => {
      const args = [model, "--image", at("image.png"), at("image.png"), "--layer", "*conv2*"];
      const result = await features(...args, "--out", at(out), "--json");
      expect(result.status).toBe(0);
      return { ...result, files: JSON.parse(result.stdout).files as string[] };
    };
    for (const scope of ["element", "channel"]) {
      const { files } = await draw(await swapped(`${scope}.onnx`, "--scope", scope), `sru-${scope}`);
      const [svgFile] = files.filter((f) => f.endsWith("-sru.svg"));
      const svg = await readFile(join(at(`sru-${scope}`), svgFile!), "utf8");
      expect([...svg.matchAll(/font-weight="700"[^>]*>([^<]+)</g)].map((m) => m[1]!.split(":")[0])).toEqual([
        ...[expect.stringMatching(/^SRU of .*conv2/), "in", "gated rich", "gated poor", "out"],
      ]);
      // Of the four pictures the first is the sum of the next two, pixel by pixel, in greys of one scale for each map.
      const pictures = await Promise.all(
        [...svg.matchAll(/href="data:image\/png;base64,([^"]+)"/g)].map((m) =>
          sharp(Buffer.from(m[1]!, "base64")).raw().toBuffer(),
        ),
      );
      expect(pictures).toHaveLength(4);
      const [x, rich, poor, out] = pictures as [Buffer, Buffer, Buffer, Buffer];
      const paper = x.map((v, k) => Number(v === 255 && rich[k] === 255 && poor[k] === 255));
      const off = x.filter((v, k) => !paper[k] && Math.abs(v - rich[k]! - poor[k]!) > 1);
      expect(off).toHaveLength(0);
      // Fresh γ are all alike: a gate by channel is open everywhere, and its SRU gives back what it gets.
      expect(rich.equals(x)).toBe(scope === "channel");
      expect(out.equals(x)).toBe(scope === "channel");
      const { width, height } = await sharp(
        join(at(`sru-${scope}`), svgFile!.replace("svg", "png")),
      ).metadata();
      expect(svg).toContain(`width="${width}" height="${height}"`);
    }
    const without = await draw(await swapped("c.onnx", "--order", "c"), "sru-c");
    expect(without.stderr).toMatch(/no picture of the SRU of .*conv2.*order c/);
    expect(without.files.filter((f) => f.includes("-sru"))).toEqual([]);
  });

  it("measures on a data set, and draws a chart", async () => {
    await mkdir(at("idx"));
    await writeIdx(at("idx"), { count: 40 });
    for (const file of ["chart-1.svg", "chart-1.png"]) {
      const args = ["--data", at("idx"), "--limit", "24", "--normalize", "none", "--chart", at(file)];
      const more = ["--compare", at("tiny.onnx"), "--json", "--quiet"];
      const { stdout, status } = await runCli(["features", at("tiny.onnx"), ...args, ...more]);
      expect(status).toBe(0);
      const { images, layers, chart } = JSON.parse(stdout);
      expect(images).toBe(24);
      expect(chart).toBe(at(file));
      expect(layers[0]).toMatchObject({ maps: 8, pixels: 24 * 64 });
      expect(layers[0].compared.redundancy).toBe(layers[0].redundancy);
    }
    const svg = await readFile(at("chart-1.svg"), "utf8");
    expect(svg).toMatch(/conv1\.conv[\s\S]*conv2\.conv/);
    expect(svg).toContain("Measured on 24 images.");
    const { width, height } = await sharp(at("chart-1.png")).metadata();
    expect(svg).toContain(`width="${width}" height="${height}"`);
    // The same images as files and as a data set, in batches of one and of sixteen, are the same figures.
    const limit = ["--data", at("idx"), "--limit", "17", "--normalize", "none", "--json", "--quiet"];
    const { stdout } = await runCli(["features", at("tiny.onnx"), ...limit]);
    const bytes = await readFile(join(at("idx"), "t10k-images-idx3-ubyte"));
    const files = Array.from({ length: 17 }, (_, i) => at(`idx-${i}.png`));
    for (const [i, file] of files.entries()) {
      const raw = { width: 8, height: 8, channels: 1 as const };
      await sharp(bytes.subarray(16 + i * 64, 16 + (i + 1) * 64), { raw })
        .toColourspace("b-w")
        .png()
        .toFile(file);
    }
    const single = await json(at("tiny.onnx"), "--image", ...files);
    for (const [i, layer] of JSON.parse(stdout).layers.entries()) {
      expect(single.layers[i].effectiveRank).toBeCloseTo(layer.effectiveRank, 4);
      expect(single.layers[i].zeros).toBeCloseTo(layer.zeros, 4);
    }
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
    await writeFile(at("chart.svg"), "mine");
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
      [[at("tiny.onnx")], 2, /--image or --data/],
      [[at("tiny.onnx"), ...image, "--data", at("idx")], 2, /--image or --data, not both/],
      [[at("tiny.onnx"), "--data", at("no-data"), "--out", at("new")], 1, /no-data/],
      [[at("tiny.onnx"), ...image, "--chart", at("chart.pdf")], 2, /\.svg or \.png/],
      [[at("tiny.onnx"), ...image, "--chart", at("chart.svg")], 1, /chart\.svg.*exists already/],
      [[at("tiny.onnx"), ...image, "--chart", at("nowhere/chart.svg")], 1, /nowhere/],
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
