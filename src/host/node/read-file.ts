import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { ScconvError } from "../../base/errors.js";
import { inGigabytes } from "../../graph/infer-types.js";
import { fileError } from "./file-errors.js";

/**
 * A whole file, which must be a regular one: a FIFO would be waited for, a device need not end. Its size is looked at
 * before anything is read.
 */
export async function readRegularFile(path: string, what: string, most: number): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    // Opening a FIFO does not wait for a writer then.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    checkKind(await file.stat(), path, most);
    return await file.readFile();
  } catch (cause) {
    throw fileError(`cannot read ${what}`, path, cause);
  } finally {
    await file?.close();
  }
}

function checkKind(stats: Stats, where: string, most: number): void {
  if (stats.isDirectory()) throw new ScconvError("bad-input", "is a folder", { where, need: "a file" });
  if (!stats.isFile()) throw new ScconvError("bad-input", "is no regular file", { where });
  if (stats.size > most) {
    throw new ScconvError("bad-input", "is too large", {
      where,
      need: `at most ${inGigabytes(most)}`,
      got: inGigabytes(stats.size),
    });
  }
}
