import { describe, expect, it } from "vitest";
import type { DecodedImage } from "../../src/data/data-set.js";
import { fromRgba } from "../../src/data/from-rgba.js";
import { imageHeader } from "../../src/data/image-header.js";
import { type ImageView, viewPixels } from "../../src/data/view-pixels.js";
import { convertPixels, decodeImage } from "../../src/host/node/data/decode-image.js";
import { bytesIn, golden } from "./golden/torchvision.js";

/** The views that a browser makes of decoded pixels, beside torchvision's and libvips'. */

async function picture(): Promise<DecodedImage> {
  const image = await decodeImage(bytesIn(golden.picture), { channels: 3 });
  if ("failed" in image) throw new Error(image.failed.what);
  return image;
}

function difference(image: DecodedImage, wanted: Uint8Array): { most: number; mean: number } {
  expect(image.data.length).toBe(wanted.length);
  const off = Array.from(wanted, (v, i) => Math.abs(v - image.data[i]!));
  return { most: Math.max(...off), mean: off.reduce((a, b) => a + b) / off.length };
}

it.each(golden.crops)(
  "part $box is torchvision's on Pillow images but for rounding",
  async ({ box, pixels }) => {
    const [top, left, height, width] = box;
    const view: ImageView = { part: () => ({ top, left, height, width }), height: 32, width: 32 };
    const { most, mean } = difference(viewPixels(await picture(), view), bytesIn(pixels));
    expect(most).toBeLessThanOrEqual(2);
    expect(mean).toBeLessThan(0.3);
  },
);

it("the evaluation view is torchvision's Resize and CenterCrop but for rounding", async () => {
  const { size, share, pixels } = golden.view;
  const { most, mean } = difference(viewPixels(await picture(), { size, crop: share }), bytesIn(pixels));
  expect(most).toBeLessThanOrEqual(2);
  expect(mean).toBeLessThan(0.3);
});

it("the view without a crop is libvips' on Node but for what its two steps round", async () => {
  const image = await picture();
  const { data } = await convertPixels(image.data, image, { channels: 3, view: { size: 24 } });
  const { mean } = difference(viewPixels(image, { size: 24 }), data);
  expect(mean).toBeLessThan(2);
});

describe("pixels as a canvas gives them", () => {
  const rgba = [255, 0, 0, 255, 0, 255, 0, 9, 0, 0, 255, 255, 80, 80, 80, 255];

  it("lose their alpha", () => {
    expect([...fromRgba(rgba, 2, 2, 3).data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 80, 80, 80]);
  });

  it("become grey as on Node", async () => {
    const colours = { ...fromRgba(rgba, 2, 2, 3) };
    const { data } = await convertPixels(colours.data, colours, { channels: 1 });
    const ours = fromRgba(rgba, 2, 2, 1).data;
    ours.forEach((v, i) => {
      expect(Math.abs(v - data[i]!)).toBeLessThanOrEqual(1);
    });
  });
});

describe("the header of an image", () => {
  it.each(["jpeg", "png", "webp"] as const)("of %s says its size, and whether it is grey", async (format) => {
    const { default: sharp } = await import("sharp");
    for (const background of ["#808080", "#ff0000"]) {
      const grey = background === "#808080" && format !== "webp";
      const image = sharp({ create: { width: 37, height: 21, channels: 3, background } });
      const bytes = await (grey ? image.toColourspace("b-w") : image).toFormat(format).toBuffer();
      expect(imageHeader(bytes)).toEqual({ width: 37, height: 21, grey });
      expect(imageHeader(bytes.subarray(0, 14))).toBeUndefined();
    }
  });
});
