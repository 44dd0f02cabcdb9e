import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { extract, type Header } from "tar-stream";
import { ScconvError } from "../../../base/errors.js";
import {
  byName,
  imageName,
  imageNames,
  type Location,
  type OnProgress,
  type StoredSplit,
} from "./sources.js";

/** A class index is data from outside: a bound keeps a typing mistake from becoming a list of a billion names. */
const mostClasses = 100_000;
const longestLabel = 64;

export interface Shards {
  /** File names by split, in the order in which they are read. */
  readonly train: readonly string[];
  readonly test: readonly string[];
}

/** The shards among these file names; `val-*` is preferred to `test-*`, which in some sets has no labels. */
export function findShards(names: readonly string[]): Shards {
  const of = (split: string) =>
    names.filter((n) => n.startsWith(`${split}-`) && n.endsWith(".tar")).sort(byName);
  const val = of("val");
  return { train: of("train"), test: val.length > 0 ? val : of("test") };
}

/**
 * Reads the directory of every shard once: where each image lies, and its class. Images stay in the files; `limit`
 * stops after so many.
 */
export async function indexShards(
  folder: string,
  shards: readonly string[],
  limit: number,
  onProgress?: OnProgress,
): Promise<StoredSplit> {
  const paths: string[] = [];
  const shardOf: number[] = [];
  const names: string[] = [];
  const offsets: number[] = [];
  const lengths: number[] = [];
  const labels: number[] = [];
  const starts: number[] = [];
  for (const shard of shards) {
    if (labels.length >= limit) break;
    starts.push(labels.length);
    paths.push(join(folder, shard));
    for (const s of await readShard(join(folder, shard))) {
      if (labels.length >= limit) break;
      shardOf.push(paths.length - 1);
      names.push(s.name);
      offsets.push(s.offset);
      lengths.push(s.length);
      labels.push(s.label);
    }
    onProgress?.({ what: "reading the index of the shards", done: paths.length, total: shards.length });
  }
  const locate = (i: number): Location => {
    const path = paths[shardOf[i]!]!;
    return { path, offset: offsets[i]!, length: lengths[i]!, name: `${basename(path)}: ${names[i]}` };
  };
  return { kind: "encoded", labels: Int32Array.from(labels), shards: starts, locate };
}

interface Sample {
  name: string;
  offset: number;
  length: number;
  label: number;
}

/**
 * The samples of one shard in the order of their images. Entries belong together by WebDataset's key, the path up to
 * the first dot of the file name. Whatever is not a regular file (links, devices) is passed over and nothing is ever
 * written to disk, so that hostile names lead nowhere.
 */
async function readShard(path: string): Promise<Sample[]> {
  const where = basename(path);
  const images = new Map<string, Omit<Sample, "label">>();
  const classes = new Map<string, number>();
  const archive = extract();
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  file.on("error", (error) => archive.destroy(error));
  file.pipe(archive);
  try {
    for await (const entry of archive) {
      const header = entry.header as Header & { byteOffset: number };
      const { key, extension } = splitName(header.name);
      if (header.type !== "file" || key === "") entry.resume();
      else if (extension === "cls") classes.set(key, await readLabel(entry, `${where}: ${header.name}`));
      else {
        if (imageName.test(`.${extension}`)) {
          if (images.has(key)) throw twice(where, key);
          images.set(key, { name: header.name, offset: header.byteOffset, length: header.size });
        }
        entry.resume();
      }
    }
  } catch (cause) {
    if (cause instanceof ScconvError) throw cause;
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new ScconvError("bad-input", "the shard cannot be read", { where, got, cause });
  } finally {
    file.destroy();
  }
  for (const key of classes.keys()) {
    if (!images.has(key)) {
      throw new ScconvError("bad-input", `label ${key}.cls is without its image`, {
        where,
        need: `${key}.${imageNames}`,
      });
    }
  }
  return Array.from(images, ([key, image]) => {
    const label = classes.get(key);
    if (label === undefined) {
      throw new ScconvError("bad-input", `image ${image.name} is without its label`, {
        where,
        need: `${key}.cls`,
      });
    }
    return { ...image, label };
  });
}

function splitName(name: string): { key: string; extension: string } {
  const slash = name.lastIndexOf("/");
  const dot = name.indexOf(".", slash + 1);
  // A file name that starts with a dot (macOS writes ._000.jpg beside 000.jpg) is no sample.
  if (dot <= slash + 1) return { key: "", extension: "" };
  return { key: name.slice(0, dot), extension: name.slice(dot + 1).toLowerCase() };
}

async function readLabel(entry: AsyncIterable<unknown>, where: string): Promise<number> {
  const need = `a class index from 0 to ${mostClasses - 1} in text`;
  let text = "";
  for await (const chunk of entry) {
    text += Buffer.from(chunk as Uint8Array).toString("latin1");
    if (text.length > longestLabel) {
      throw new ScconvError("bad-input", "not a class index", { where, need, got: `${text.length} bytes` });
    }
  }
  if (!/^\s*\d+\s*$/.test(text) || Number(text) >= mostClasses) {
    throw new ScconvError("bad-input", "not a class index", { where, need, got: `"${text}"` });
  }
  return Number(text);
}

const twice = (where: string, key: string) =>
  new ScconvError("bad-input", `two images have the key ${key}`, { where, need: "one image for each .cls" });
