/*
 * TiedConv: Wang, Yu, "Tied Block Convolution: Leaner and Better CNNs with Shared Thinner Filters", AAAI 2021, §3,
 * equation 3. The channels are cut into B blocks, and one and the same thinner convolution goes over each of them.
 */
import { reshape } from "../ops/emit.js";
import { conv } from "./layers.js";
import { badSetting, type ConvUnit } from "./slot.js";

export interface TiedConvSettings {
  /** Blocks B that share their filters. */
  readonly tiedBlocks: number;
}

export const tiedConvDefaults: TiedConvSettings = { tiedBlocks: 2 };

/**
 * In place of a k×k convolution (k = 1 too), x (N, C, H, W) → (N, out, ⌈H/s⌉, ⌈W/s⌉). Parameter `conv.weight`
 * (out/B, C/B, k, k), B² times fewer than the convolution's; multiply-adds are B times fewer. The blocks are laid along
 * the batch, (N·B, C/B, H, W), so that the engine sees one convolution with one set of weights.
 */
export const tiedConvUnit =
  (settings: Partial<TiedConvSettings> = {}): ConvUnit =>
  (x, out, name, random, shape) =>
    x.builder.scope(name, () => {
      const { tiedBlocks: blocks } = { ...tiedConvDefaults, ...settings };
      const input = x.shape[1] as number;
      for (const [what, width] of [
        ["input", input],
        ["output", out],
      ] as const) {
        if (!Number.isInteger(blocks) || blocks < 1 || width % blocks !== 0) {
          throw badSetting(
            "TiedConv",
            x,
            "tied-blocks",
            blocks,
            `a divisor of the ${width} ${what} channels`,
          );
        }
      }
      const { groups: _, ...window } = shape;
      const apart = reshape(x, [-1, input / blocks, 0, 0]);
      return reshape(conv(apart, out / blocks, "conv", random, window), [-1, out, 0, 0]);
    });
