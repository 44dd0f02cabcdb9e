import { ScconvError } from "../base/errors.js";
import type { Normalize } from "./data-set.js";

/** By name. The figures are of RGB/255 over the training split, as torchvision's recipes and the field use them. */
export const normalizations = {
  imagenet: { name: "imagenet", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  cifar10: { name: "cifar10", mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  cifar100: { name: "cifar100", mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  none: { name: "none", mean: [0], std: [1] },
} as const satisfies Record<string, Normalize>;

const valid = `${Object.keys(normalizations).join(", ")}, or MEAN/STD such as 0.286/0.353 or 0.49,0.48,0.45/0.25,0.24,0.26`;

/**
 * `imagenet`, `cifar10`, `none`, or `m1,m2,m3/s1,s2,s3` (or `m/s`: one value for all channels).
 * Throws `usage` for anything else.
 */
export function parseNormalize(text: string): Normalize {
  const preset = new Map<string, Normalize>(Object.entries(normalizations)).get(text);
  if (preset) return preset;
  const bad = (what: string) =>
    new ScconvError("usage", what, { where: "--normalize", got: `"${text}"`, need: valid });
  const parts = text.split("/");
  if (parts.length !== 2) throw bad("unknown normalisation");
  const [mean, std] = parts.map((part) =>
    part.split(",").map((n) => (n.trim() === "" ? Number.NaN : Number(n))),
  ) as [number[], number[]];
  if (![...mean, ...std].every(Number.isFinite)) throw bad("not a number");
  if (!std.every((s) => s > 0)) throw bad("a standard deviation is not above 0");
  if (mean.length !== std.length || (mean.length !== 1 && mean.length !== 3)) {
    throw bad("mean and standard deviation need one value, or three, each");
  }
  return { name: text, mean, std };
}

/**
 * (channels × 256): the normalised value of every byte, rounded to float32 once, so that a lookup takes the place of
 * the arithmetic. Throws `bad-setting` where the normalisation has another number of channels.
 */
export function normalizeTable(normalize: Normalize, channels: number): Float32Array {
  const { mean, std, name } = normalize;
  for (const list of [mean, std]) {
    if (list.length !== 1 && list.length !== channels) {
      throw new ScconvError("bad-setting", `normalisation "${name}" does not fit the images`, {
        where: "--normalize",
        got: `values for ${list.length} channels`,
        need: `${channels === 1 ? "1" : `1 or ${channels}`}`,
        hint: "give MEAN/STD, or none",
      });
    }
  }
  const table = new Float32Array(channels * 256);
  for (let c = 0; c < channels; c++) {
    const m = mean[mean.length === 1 ? 0 : c]!;
    const s = std[std.length === 1 ? 0 : c]!;
    for (let v = 0; v < 256; v++) table[c * 256 + v] = (v / 255 - m) / s;
  }
  return table;
}
