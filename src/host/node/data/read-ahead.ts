import { type FileHandle, open, readFile } from "node:fs/promises";
import { fileError } from "../file-errors.js";
import type { Location } from "./sources.js";

/**
 * Encoded images in memory, read from front to back of their files in large pieces, ahead of when they are wanted. What is
 * held is what was read and not yet taken: the shuffle buffer, and the batches in flight.
 */
export interface ReadAhead {
  /** Reads on until all of these are held. Throws `io` or `not-found`. */
  fill(indices: Uint32Array): Promise<void>;
  /** A file that is held, which then is no longer. */
  take(index: number): Uint8Array<ArrayBuffer>;
  /** Bytes held. */
  readonly held: number;
  close(): Promise<void>;
}

/** One read from disk, and what may lie between two images that are read by it. */
const PIECE = 2 ** 22;
const GAP = 2 ** 16;

/** `reading`: the order of all images in their files. `done`: 1 where an image was delivered before, by position. */
export function readAhead(
  locate: (index: number) => Location,
  reading: Uint32Array,
  done: Uint8Array,
): ReadAhead {
  const files = new Map<number, Uint8Array<ArrayBuffer>>();
  let next = 0;
  let held = 0;
  /** One piece of memory for all reads: garbage of this size is collected late. */
  let scratch = new Uint8Array(PIECE);
  let current: { readonly path: string; readonly file: FileHandle } | undefined;

  const keep = (index: number, file: Uint8Array<ArrayBuffer>) => {
    files.set(index, file);
    held += file.length;
  };

  async function opened(path: string): Promise<FileHandle> {
    if (current?.path !== path) {
      await current?.file.close();
      current = undefined;
      current = { path, file: await open(path, "r") };
    }
    return current.file;
  }

  /** The next images in one read: as many as lie close together, in the order of reading. */
  async function readPiece(): Promise<void> {
    while (next < reading.length && done[reading[next]!]) next++;
    if (next === reading.length) throw new Error("read past the last image");
    const first = locate(reading[next]!);
    const { path, offset: start, length } = first;
    if (start === undefined || length === undefined) {
      keep(reading[next++]!, Uint8Array.from(await readFile(path)));
      return;
    }
    const piece: { index: number; from: number; to: number }[] = [];
    let end = start;
    for (; next < reading.length; next++) {
      const index = reading[next]!;
      if (done[index]) continue;
      const { path: other, offset = 0, length: size = 0 } = locate(index);
      const near = other === path && offset >= end && offset - end <= GAP;
      if (piece.length > 0 && !(near && offset + size - start <= PIECE)) break;
      end = offset + size;
      piece.push({ index, from: offset - start, to: end - start });
    }
    if (end - start > scratch.length) scratch = new Uint8Array(end - start);
    const { bytesRead } = await (await opened(path)).read(scratch, 0, end - start, start);
    for (const { index, from, to } of piece) keep(index, scratch.slice(from, Math.min(to, bytesRead)));
  }

  return {
    async fill(indices) {
      for (const index of indices) {
        while (!files.has(index)) {
          await readPiece().catch((cause) => {
            throw fileError("cannot read the image", locate(index).name, cause);
          });
        }
      }
    },
    take(index) {
      const file = files.get(index)!;
      files.delete(index);
      held -= file.length;
      return file;
    },
    get held() {
      return held;
    },
    async close() {
      await current?.file.close();
      current = undefined;
    },
  };
}
