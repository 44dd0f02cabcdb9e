import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { decodeImageFile } from "../../src/host/node/data/decode-image.js";
import { openData } from "../../src/host/node/data/open-data.js";
import { pixelsOf, png, samples, type TarEntry, tempFolder, writeTar } from "../host/data/fixtures.js";
import { bounded } from "./refused.js";

const root = await tempFolder();
let files = 0;
async function fileOf(bytes: Uint8Array, ending = ""): Promise<string> {
  const path = join(root, `${files++}${ending}`);
  await writeFile(path, bytes);
  return path;
}
const decoded = async (bytes: Uint8Array) => decodeImageFile(await fileOf(bytes));

/** A PNG chunk. */
function chunk(type: string, body: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}
/** Rows begin with the number of their filter, which is 0 here. */
function pngOf(
  width: number,
  height: number,
  { depth, colour }: { depth: number; colour: number },
  rows: Uint8Array,
  ...more: Buffer[]
) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = depth;
  head[9] = colour;
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    ...more,
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A frame header that says 65,535 × 65,535, in the place of the file's own. */
async function vastJpeg(size = 65_535): Promise<Buffer> {
  const bytes = Buffer.from(
    await sharp(pixelsOf(0), { raw: { width: 6, height: 5, channels: 3 } })
      .jpeg()
      .toBuffer(),
  );
  const frame = bytes.indexOf(Buffer.from([0xff, 0xc0]));
  bytes.writeUInt16BE(size, frame + 5);
  bytes.writeUInt16BE(size, frame + 7);
  return bytes;
}

describe("images that are refused", () => {
  const tooLarge = /image is too large, need at most \d+ pixels/;
  const corrupt = /image is corrupt/;
  it.each<[string, () => Promise<Uint8Array> | Uint8Array, RegExp]>([
    [
      "a PNG of 65,535 × 65,535 by its header",
      () => pngOf(65_535, 65_535, { depth: 8, colour: 2 }, new Uint8Array(8)),
      tooLarge,
    ],
    ["a JPEG of 65,535 × 65,535 by its header", () => vastJpeg(), /image is corrupt.*65500/],
    ["a JPEG of 65,500 × 65,500, the most that its decoder takes", () => vastJpeg(65_500), tooLarge],
    [
      "a PNG of 2³¹ − 1 pixels in a row",
      () => pngOf(2 ** 31 - 1, 1, { depth: 1, colour: 0 }, new Uint8Array(8)),
      /too large|corrupt/,
    ],
    ["a PNG of no pixels", () => pngOf(0, 0, { depth: 8, colour: 2 }, new Uint8Array(0)), corrupt],
    ["a PNG that is cut off", async () => (await png(1, 64, 64)).subarray(0, -50), corrupt],
    [
      "a PNG with a false check sum",
      async () => {
        const b = Buffer.from(await png(1));
        b[30]! ^= 1;
        return b;
      },
      corrupt,
    ],
    ["a PNG whose rows end early", () => pngOf(8, 8, { depth: 8, colour: 2 }, new Uint8Array(25)), corrupt],
    ["a JPEG that is cut off in its header", async () => (await vastJpeg()).subarray(0, 100), corrupt],
    [
      "a JPEG that is cut off in its data",
      async () => {
        const b = await sharp(pixelsOf(2, 64, 64), { raw: { width: 64, height: 64, channels: 3 } })
          .jpeg()
          .toBuffer();
        return b.subarray(0, b.length - 300);
      },
      corrupt,
    ],
    ["one byte", () => Uint8Array.of(0xff), /not an image/],
    [
      "SVG, which could name other files",
      () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'),
      /not an image/,
    ],
    ["a GIF", () => Buffer.from("GIF89a"), /not an image/],
  ])("%s", async (_, bytes, says) => {
    const path = await fileOf(await bytes());
    await bounded(() =>
      expect(decodeImageFile(path)).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(says),
      }),
    );
  });
});

describe("images of every kind look as a user expects", () => {
  const colours = { A: [250, 10, 10], B: [10, 240, 10], C: [10, 10, 245], D: [240, 240, 20] } as const;
  const [width, height] = [64, 32];
  /** A B over C D, in quarters. */
  const quarters = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return colours[(["AB", "CD"][y < height / 2 ? 0 : 1]! as "AB")[x < width / 2 ? 0 : 1] as "A"][i % 3]!;
  });
  const image = () => sharp(quarters, { raw: { width, height, channels: 3 } });
  /** The colours in the middle of each quarter, by name. */
  const seen = (
    { data, width: w, height: h }: { data: Uint8Array; width: number; height: number },
    near: number,
  ) =>
    [
      [1, 1],
      [3, 1],
      [1, 3],
      [3, 3],
    ]
      .map(([x, y]) => {
        const at = (Math.floor((h * y!) / 4) * w + Math.floor((w * x!) / 4)) * 3;
        const found = Object.entries(colours).find(([, c]) =>
          c.every((v, i) => Math.abs(v - data[at + i]!) <= near),
        );
        return found?.[0] ?? `${data.subarray(at, at + 3)}`;
      })
      .join("");

  // Exif 2.32, tag 0x0112: which side of the picture the first row and the first column are.
  it.each([
    [1, "ABCD"],
    [2, "BADC"],
    [3, "DCBA"],
    [4, "CDAB"],
    [5, "ACBD"],
    [6, "CADB"],
    [7, "DBCA"],
    [8, "BDAC"],
  ])("turned by Exif %i", async (orientation, upright) => {
    const bytes = await image()
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .withMetadata({ orientation })
      .toBuffer();
    const result = await decoded(bytes);
    expect(seen(result, 12)).toBe(upright);
    expect([result.width, result.height]).toEqual(orientation < 5 ? [width, height] : [height, width]);
  });

  it.each([
    [[200, 60, 60]],
    [[90, 140, 90]],
    [[80, 90, 140]],
    [[128, 128, 128]],
    [[245, 245, 245]],
    [[20, 20, 20]],
  ])("CMYK, neither inverted nor far off: %j", async (colour) => {
    const flat = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => colour[i % 3]!);
    const rgb = sharp(flat, { raw: { width: 16, height: 16, channels: 3 } });
    const bytes = await rgb.toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe("cmyk");
    const { data, channels } = await decoded(bytes);
    expect(channels).toBe(3);
    for (const [i, v] of colour.entries()) expect(Math.abs(data[i]! - v)).toBeLessThan(35);
  });

  it("16 bits, colour and grey", async () => {
    const deep = pngOf(
      2,
      1,
      { depth: 16, colour: 2 },
      Uint8Array.of(0, 0x80, 0x12, 0x40, 0, 0xff, 0xff, 0, 0, 0x33, 0, 0xcc, 0),
    );
    const rgb = await decoded(deep);
    expect(rgb.channels).toBe(3);
    const expected = [0x80, 0x40, 0xff, 0, 0x33, 0xcc];
    for (const [i, v] of expected.entries()) expect(Math.abs(rgb.data[i]! - v)).toBeLessThanOrEqual(1);
    const grey = await decoded(pngOf(2, 1, { depth: 16, colour: 0 }, Uint8Array.of(0, 0x80, 0, 0x20, 0)));
    expect(grey.channels).toBe(1);
    for (const [i, v] of [0x80, 0x20].entries()) expect(Math.abs(grey.data[i]! - v)).toBeLessThanOrEqual(1);
  });

  it("palettes, of one bit too, and with a transparent colour", async () => {
    const palette = chunk("PLTE", Uint8Array.from([...colours.A, ...colours.B]));
    const transparent = chunk("tRNS", Uint8Array.of(0));
    for (const extra of [[palette], [palette, transparent]]) {
      const { data, channels } = await decoded(
        pngOf(2, 1, { depth: 1, colour: 3 }, Uint8Array.of(0, 0b01000000), ...extra),
      );
      expect([channels, ...data]).toEqual([3, ...colours.A, ...colours.B]);
    }
  });
});

describe("archives", () => {
  const folderOf = async (entries: readonly TarEntry[]): Promise<string> => {
    const folder = join(root, `set${files++}`);
    await writeTar(join(folder, "train-0.tar"), entries);
    return folder;
  };

  it("entries that lead outside are names, and write nothing", async () => {
    const outside: TarEntry[] = [];
    for (const name of [
      "../escaped",
      "/tmp/escaped",
      "a/../../escaped",
      "..\\escaped",
      "\u001b[31mescaped",
    ]) {
      outside.push([`${name}.png`, await png(1)], [`${name}.cls`, "0"]);
    }
    const folder = await folderOf([...(await samples(0, 2)), ...outside]);
    const before = await readdir(root, { recursive: true });
    const data = await openData(folder);
    // A file name that begins with a dot is no sample.
    expect(data.train!.length).toBe(6);
    await data.close();
    expect(await readdir(root, { recursive: true })).toEqual(before);
  });

  it("links are passed over, whatever they are called", async () => {
    const folder = await folderOf([
      ...(await samples(0, 2)),
      ["passwd.png", "/etc/passwd", "symlink"],
      ["hard.png", "000000.png", "link"],
      ["pipe.png", "", "fifo"],
    ]);
    const data = await openData(folder);
    expect(data.train!.length).toBe(2);
    await data.close();
  });

  it("a label of a gigabyte of zeros is not read to its end", async () => {
    const folder = await folderOf([
      ...(await samples(0, 1)),
      ["b.png", await png(0)],
      ["b.cls", new Uint8Array(2 ** 22)],
    ]);
    await bounded(() => expect(openData(folder)).rejects.toThrowError(/not a class index/));
  });

  it("10,000 to 1: what unpacks to far more than it is, is stopped on the way", async () => {
    const folder = join(root, `idx${files++}`);
    await writeTar(join(folder, "unused.tar"), []);
    // deflate reaches 1,000 to 1; packed twice it would be more, but nothing here unpacks twice.
    const bomb = gzipSync(new Uint8Array(2 ** 28), { level: 9 });
    expect(2 ** 28 / bomb.length).toBeGreaterThan(1000);
    await writeFile(join(folder, "train-images-idx3-ubyte.gz"), bomb);
    await writeFile(join(folder, "train-labels-idx1-ubyte.gz"), bomb);
    await bounded(() =>
      expect(openData(folder)).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(/cannot be unpacked/),
      }),
    );
  });

  it("a shard that is packed is said to be none", async () => {
    const folder = join(root, `gz${files++}`);
    await writeTar(join(folder, "x.tar"), []);
    await writeFile(join(folder, "train-0.tar"), gzipSync(new Uint8Array(2 ** 26)));
    await bounded(() =>
      expect(openData(folder)).rejects.toThrowError(/train-0.tar: the shard cannot be read/),
    );
  });
});
