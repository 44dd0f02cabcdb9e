import { createReadStream } from "node:fs";
import { basename, join } from "node:path";
import { extract, type Header } from "tar-stream";
import { ScconvError } from "../../../base/errors.js";
import { longestLabel, shardSamples } from "../../../data/shard-samples.js";
import type { Location, OnProgress, StoredSplit } from "./sources.js";

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

interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * The samples of one shard. Whatever is not a regular file (links, devices) is passed over and nothing is ever written to disk,
 * so that hostile names lead nowhere.
 */
async function readShard(path: string) {
  const where = basename(path);
  const samples = shardSamples<Place>(where);
  const archive = extract();
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  file.on("error", (error) => archive.destroy(error));
  file.pipe(archive);
  try {
    for await (const entry of archive) {
      const header = entry.header as Header & { byteOffset: number };
      const kind = header.type === "file" ? samples.kindOf(header.name) : undefined;
      if (kind === "label") {
        samples.label(header.name, await textOf(entry));
        continue;
      }
      if (kind === "image") samples.image(header.name, { offset: header.byteOffset, length: header.size });
      entry.resume();
    }
  } catch (cause) {
    if (cause instanceof ScconvError) throw cause;
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new ScconvError("bad-input", "the shard cannot be read", { where, got, cause });
  } finally {
    file.destroy();
  }
  return samples.all();
}

/** As far as a label could go, and a little further. */
async function textOf(entry: AsyncIterable<unknown>): Promise<string> {
  let text = "";
  for await (const chunk of entry) {
    text += Buffer.from(chunk as Uint8Array).toString("latin1");
    if (text.length > longestLabel) break;
  }
  return text;
}
