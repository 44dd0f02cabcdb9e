import { type FileHandle, open } from "node:fs/promises";
import { type Probed, probedIndices } from "../../../data/agreed-shape.js";
import { orThrow, probeImage } from "./decode-image.js";
import type { Location, Source, StoredSplit } from "./sources.js";

/** What the headers of some images of each split say, or what raw pixels are. */
export async function probeSource({ train, test }: Source): Promise<Probed[]> {
  return [...(await probeSplit(train, "train")), ...(await probeSplit(test, "test"))];
}

async function probeSplit(split: StoredSplit | undefined, name: string): Promise<Probed[]> {
  if (!split) return [];
  if (split.kind === "raw") return [{ name: `${name} split`, ...split.shape }];
  const out: Probed[] = [];
  for (const index of probedIndices(split.labels.length)) {
    const location = split.locate(index);
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
