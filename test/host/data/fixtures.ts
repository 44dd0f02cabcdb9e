import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import sharp from "sharp";
import { type Header, pack } from "tar-stream";
import { afterAll } from "vitest";

/** A folder that is gone after the tests of this file. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "scconv-data-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** (height, width, 3) bytes, different for every `k`. */
export const pixelsOf = (k: number, width = 6, height = 5): Uint8Array =>
  Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31 + k * 17) % 256);

/** `pixelsOf` as a lossless file. */
export const png = (k: number, width = 6, height = 5): Promise<Buffer> =>
  sharp(pixelsOf(k, width, height), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

export const jpeg = (k: number, width = 32, height = 32): Promise<Buffer> =>
  sharp(pixelsOf(k, width, height), { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();

export type TarEntry = readonly [name: string, content: string | Uint8Array, type?: Header["type"]];

/** Writes a tar file with these entries, in order. */
export async function writeTar(path: string, entries: readonly TarEntry[]): Promise<void> {
  const archive = pack();
  for (const [name, content, type = "file"] of entries) {
    if (type === "file") archive.entry({ name }, content);
    else archive.entry({ name, type, linkname: String(content) });
  }
  archive.finalize();
  await mkdir(dirname(path), { recursive: true });
  await pipeline(archive, createWriteStream(path));
}

/** KEY.png and KEY.cls for images `from` … `to` − 1, of class k mod `classes`. */
export async function samples(from: number, to: number, classes = 3): Promise<TarEntry[]> {
  const out: TarEntry[] = [];
  for (let k = from; k < to; k++) {
    out.push([`${String(k).padStart(6, "0")}.png`, await png(k)]);
    out.push([`${String(k).padStart(6, "0")}.cls`, `${k % classes}`]);
  }
  return out;
}

export async function writeAll(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}
