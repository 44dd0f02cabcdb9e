import { type FileHandle, open } from "node:fs/promises";
import { ScconvError } from "../../../base/errors.js";
import type { ImageShape } from "../../../data/data-set.js";
import { orThrow, probeImage } from "./decode-image.js";
import type { Location, Source, StoredSplit } from "./sources.js";

/** Images whose headers are read before anything else, spread over each split: most disagreements show at once. */
const probes = 16;

interface Probe {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/**
 * The shape of the batches: `size` × `size`, else the size that all images have; `channels`, else grey only where all
 * are grey. Throws `bad-input` where the images, or the splits, disagree.
 */
export async function batchShape(
  source: Source,
  { size, channels }: { size?: number | undefined; channels?: 1 | 3 | undefined },
): Promise<ImageShape> {
  const found = [...(await probeSplit(source.train, "train")), ...(await probeSplit(source.test, "test"))];
  const first = found[0]!;
  const other = found.find((p) => p.height !== first.height || p.width !== first.width);
  if (size === undefined && other) {
    throw new ScconvError("bad-input", "images differ in size", {
      where: other.name,
      got: `${other.width}×${other.height}`,
      need: `${first.width}×${first.height} as ${first.name}`,
      hint: "give --size N",
    });
  }
  return {
    height: size ?? first.height,
    width: size ?? first.width,
    channels: channels ?? (found.every((p) => p.channels === 1) ? 1 : 3),
  };
}

async function probeSplit(split: StoredSplit | undefined, name: string): Promise<Probe[]> {
  if (!split) return [];
  if (split.kind === "raw") return [{ name: `${name} split`, ...split.shape }];
  const { length } = split.labels;
  const n = Math.min(probes, length);
  const out: Probe[] = [];
  for (let i = 0; i < n; i++) {
    const location = split.locate(Math.floor((i * length) / n));
    const { height, width, grey } = orThrow(await probeImage(await bytesOf(location)), location.name);
    out.push({ name: location.name, height, width, channels: grey ? 1 : 3 });
  }
  return out;
}

async function bytesOf({ path, offset = 0, length }: Location): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    if (length === undefined) return await file.readFile();
    const out = new Uint8Array(length);
    const { bytesRead } = await file.read(out, 0, length, offset);
    return out.subarray(0, bytesRead);
  } finally {
    await file?.close();
  }
}
