import { expect, it } from "vitest";
import type { ImageView } from "../../../src/data/view-pixels.js";
import { decodeImage } from "../../../src/host/node/data/decode-image.js";
import { bytesIn, golden } from "../../data/golden/torchvision.js";

async function difference(view: ImageView, pixels: string): Promise<{ most: number; mean: number }> {
  const image = await decodeImage(bytesIn(golden.picture), { channels: 3, view });
  if ("failed" in image) throw new Error(image.failed.what);
  const wanted = bytesIn(pixels);
  expect(image.data.length).toBe(wanted.length);
  const off = Array.from(wanted, (v, i) => Math.abs(v - image.data[i]!));
  return { most: Math.max(...off), mean: off.reduce((a, b) => a + b) / off.length };
}

const partOf = ([top, left, height, width]: readonly [number, number, number, number]): ImageView => ({
  ...{ part: () => ({ top, left, height, width }), height: 32, width: 32 },
});
const [reduced, enlarged] = [
  golden.crops.filter(({ box }) => box[2] >= 32),
  golden.crops.filter(({ box }) => box[2] < 32),
];

it.each(reduced)(
  "part $box, reduced, is torchvision's on Pillow images but for rounding",
  async ({ box, pixels }) => {
    const { most, mean } = await difference(partOf(box), pixels);
    expect(most).toBeLessThanOrEqual(3);
    expect(mean).toBeLessThan(0.3);
  },
);

// libvips enlarges from the corners of pixels and Pillow from their centres: half a pixel of the output apart at most.
it.each(enlarged)("part $box, enlarged, is torchvision's but for half a pixel", async ({ box, pixels }) => {
  const { most, mean } = await difference(partOf(box), pixels);
  expect(most).toBeLessThanOrEqual(20);
  expect(mean).toBeLessThan(4);
});

it("the evaluation view is torchvision's Resize and CenterCrop but for rounding", async () => {
  const { size, share, pixels } = golden.view;
  const { most, mean } = await difference({ size, crop: share }, pixels);
  expect(most).toBeLessThanOrEqual(2);
  expect(mean).toBeLessThan(0.3);
});
