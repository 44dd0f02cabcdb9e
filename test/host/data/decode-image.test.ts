import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { expect, it } from "vitest";
import { decodeImageFile } from "../../../src/host/node/data/decode-image.js";
import { jpeg, pixelsOf, png, tempFolder } from "./fixtures.js";

const root = await tempFolder();
let files = 0;
async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(root, `${files++}`);
  await writeFile(path, bytes);
  return path;
}
const rgb = (k: number) => sharp(pixelsOf(k), { raw: { width: 6, height: 5, channels: 3 } });

it("gives the pixels of a lossless file", async () => {
  const image = await decodeImageFile(await fileOf(await png(4)));
  expect({ ...image, data: [...image.data] }).toEqual({
    height: 5,
    width: 6,
    channels: 3,
    data: [...pixelsOf(4)],
  });
});

it("drops alpha, and turns upright", async () => {
  const alpha = await decodeImageFile(await fileOf(await rgb(1).ensureAlpha(0.5).png().toBuffer()));
  expect([...alpha.data]).toEqual([...pixelsOf(1)]);
  const turned = await fileOf(await rgb(1).jpeg().withMetadata({ orientation: 6 }).toBuffer());
  expect(await decodeImageFile(turned)).toMatchObject({ height: 6, width: 5 });
});

it("brings CMYK, palettes, 16 bits and grey to 8-bit RGB or grey", async () => {
  const variants = [
    await rgb(2).toColourspace("cmyk").jpeg().toBuffer(),
    await rgb(2).png({ palette: true }).toBuffer(),
    await rgb(2).toColourspace("rgb16").png().toBuffer(),
    await rgb(2).webp({ lossless: true }).toBuffer(),
  ];
  for (const bytes of variants) {
    const path = await fileOf(bytes);
    expect((await decodeImageFile(path)).data).toHaveLength(90);
    expect(await decodeImageFile(path, { channels: 1 })).toMatchObject({ channels: 1 });
  }
  const grey = await fileOf(await rgb(2).toColourspace("b-w").png().toBuffer());
  expect(await decodeImageFile(grey)).toMatchObject({ channels: 1 });
  const asRgb = await decodeImageFile(grey, { channels: 3 });
  expect(asRgb.data[0]).toBe(asRgb.data[2]);
  const deep = await fileOf(await rgb(2).toColourspace("rgb16").png().toBuffer());
  expect([...(await decodeImageFile(deep)).data]).toEqual([...pixelsOf(2)]);
});

it("covers and crops to the size", async () => {
  const image = await decodeImageFile(await fileOf(await jpeg(0, 40, 20)), { view: { size: 10 } });
  expect(image).toMatchObject({ height: 10, width: 10 });
});

it("names the file that is missing, no image, truncated or far too large", async () => {
  await expect(decodeImageFile(join(root, "none"))).rejects.toMatchObject({ code: "not-found" });
  await expect(decodeImageFile(await fileOf(Buffer.from("GIF89a")))).rejects.toThrowError(
    /not an image, need a JPEG/,
  );
  const whole = await jpeg(0);
  const half = await fileOf(whole.subarray(0, whole.length - 200));
  await expect(decodeImageFile(half)).rejects.toThrowError(/image is corrupt/);
  // A header that promises 65,000 × 65,000 pixels must not become memory.
  const bomb = Buffer.from(await png(0));
  bomb.writeUInt32BE(65_000, 16);
  bomb.writeUInt32BE(65_000, 20);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  await expect(decodeImageFile(await fileOf(bomb))).rejects.toThrowError(
    /image is too large, need at most \d+ pixels/,
  );
});
