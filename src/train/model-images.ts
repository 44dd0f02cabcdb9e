import { ScconvError } from "../base/errors.js";
import type { Normalize } from "../data/data-set.js";
import { normalizations, parseNormalize } from "../data/normalize.js";
import type { Model } from "../graph/ir.js";

/** How a model wants its images: written into its metadata when it is trained, and read where it is used. */
export const NORMALIZE_KEY = "scconv.normalize";
const CROP_KEY = "scconv.crop";

export const imageMetadata = ({
  normalize,
  crop,
}: {
  normalize: Normalize;
  crop?: number | undefined;
}): Map<string, string> =>
  new Map([
    [NORMALIZE_KEY, normalize.name],
    ...(crop === undefined ? [] : ([[CROP_KEY, `${crop}`]] as const)),
  ]);

/** `--crop`, else what the file itself says, else undefined. */
export function cropFor(model: Model, flag: number | undefined, where: string): number | undefined {
  const own = model.metadata.get(CROP_KEY);
  if (flag !== undefined || own === undefined) return flag;
  const share = Number(own);
  if (share > 0 && share <= 1) return share;
  throw new ScconvError("bad-input", `its metadata ${CROP_KEY} is not a share`, {
    where,
    got: own,
    hint: "give --crop",
  });
}

/** `--normalize`, else what the file itself says, else `otherwise`; undefined where nothing says it. */
export function statedNormalize(
  model: Model,
  flag: string | undefined,
  { where, otherwise }: { where: string; otherwise?: string | undefined },
): Normalize | undefined {
  if (flag !== undefined) return parseNormalize(flag);
  const own = model.metadata.get(NORMALIZE_KEY);
  if (own === undefined) return otherwise === undefined ? undefined : parseNormalize(otherwise);
  try {
    return parseNormalize(own);
  } catch (cause) {
    throw new ScconvError("bad-input", `its metadata ${NORMALIZE_KEY} is not a normalisation`, {
      where,
      got: own,
      hint: "give --normalize",
      cause,
    });
  }
}

/** Of a file that does not say it: none, and a warning. */
export function assumedNormalize({ where, warn }: { where: string; warn(text: string): void }): Normalize {
  warn(`${where} does not say how images are normalised; they are fed as 0 … 1 (--normalize NAME sets it)`);
  return normalizations.none;
}

/** What is stated, else none, and a warning. */
export const normalizeFor = (
  model: Model,
  flag: string | undefined,
  about: { where: string; warn(text: string): void; otherwise?: string | undefined },
): Normalize => statedNormalize(model, flag, about) ?? assumedNormalize(about);
