import { createTarDecoder } from "modern-tar";
import { ScconvError } from "../../../base/errors.js";
import { longestLabel, shardSamples } from "../../../data/shard-samples.js";
import type { StoredSplit } from "./source.js";

interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Reads every shard once, and keeps its images as one blob, which the browser holds where it likes; `limit` stops after so many. */
export async function readShards(shards: readonly File[], limit: number): Promise<StoredSplit> {
  const images: (Place & { readonly blob: Blob; readonly name: string })[] = [];
  const labels: number[] = [];
  const starts: number[] = [];
  for (const shard of shards) {
    if (labels.length >= limit) break;
    starts.push(labels.length);
    const { blob, samples } = await readShard(shard);
    for (const { offset, length, name, label } of samples.slice(0, limit - labels.length)) {
      images.push({ blob, offset, length, name: `${shard.name}: ${name}` });
      labels.push(label);
    }
  }
  return {
    labels: Int32Array.from(labels),
    shards: starts,
    locate(index) {
      const { blob, offset, length, name } = images[index]!;
      return { blob: blob.slice(offset, offset + length), name };
    },
  };
}

/** What is no regular file (links, devices) is passed over. */
async function readShard(file: File) {
  const samples = shardSamples<Place>(file.name);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  try {
    const entries = file
      .stream()
      .pipeThrough(createTarDecoder({ strict: true }))
      .getReader();
    for (let next = await entries.read(); !next.done; next = await entries.read()) {
      const { header, body } = next.value;
      const kind = header.type === "file" ? samples.kindOf(header.name) : undefined;
      if (kind === undefined) await body.cancel();
      else {
        if (kind === "label" && header.size > longestLabel) throw samples.tooLong(header.name, header.size);
        const bytes = new Uint8Array(await new Response(body).arrayBuffer());
        if (kind === "label") samples.label(header.name, new TextDecoder("latin1").decode(bytes));
        else {
          samples.image(header.name, { offset: at, length: bytes.length });
          pieces.push(bytes);
          at += bytes.length;
        }
      }
    }
  } catch (cause) {
    if (cause instanceof ScconvError) throw cause;
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new ScconvError("bad-input", "the shard cannot be read", { where: file.name, got, cause });
  }
  return { blob: new Blob(pieces), samples: samples.all() };
}
