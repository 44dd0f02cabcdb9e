import { randomBytes } from "node:crypto";
import { link, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { fileError } from "./file-errors.js";

export interface WriteOptions {
  /** Replace an existing file. */
  readonly force?: boolean | undefined;
}

/**
 * Writes a file whole or not at all: beside its place, flushed, then renamed, and the folder flushed, so that neither a
 * kill nor a power cut leaves half a file under the name. Without `force` an existing file stays as it is.
 */
export async function writeFileWhole(
  path: string,
  contents: Uint8Array | string | Iterable<Uint8Array>,
  { force = false }: WriteOptions = {},
): Promise<void> {
  const beside = besideOf(path);
  try {
    const file = await open(beside, "wx");
    try {
      // Its declaration lacks the iterables that it takes.
      await file.writeFile(contents as Uint8Array);
      await file.sync();
    } finally {
      await file.close();
    }
    await (force ? rename(beside, path) : renameOntoNothing(beside, path));
    await syncFolder(dirname(path));
  } catch (cause) {
    throw (cause as NodeJS.ErrnoException).code === "EEXIST"
      ? exists(path)
      : fileError("cannot write", path, cause);
  } finally {
    await rm(beside, { force: true });
  }
}

/**
 * Finds out, before the work of hours, whether `path` could be written at its end: a file beside it is made and
 * removed. Throws `io`, `not-found` or `bad-input`.
 */
export async function checkWritable(path: string, { force = false }: WriteOptions = {}): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new ScconvError("bad-input", "the output is a folder", { where: path, need: "a file name" });
  }
  if (found && !force) throw exists(path);
  const folder = dirname(path);
  const parent = await stat(folder).catch((cause) => {
    throw fileError("cannot write there", folder, cause);
  });
  if (!parent.isDirectory()) throw new ScconvError("bad-input", "is not a folder", { where: folder });
  await probe(path);
}

/** The same for a folder that is to be filled, and may not be there yet: nothing is made but a probe, and that is removed. */
export async function checkWritableFolder(folder: string): Promise<void> {
  let there = folder;
  let found = await stat(there).catch(() => undefined);
  while (!found && dirname(there) !== there) {
    there = dirname(there);
    found = await stat(there).catch(() => undefined);
  }
  if (!found?.isDirectory()) throw new ScconvError("bad-input", "is not a folder", { where: there });
  await probe(join(there, "probe"));
}

/** Makes a folder, and those above it. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw fileError("cannot make the folder", folder, cause);
  }
}

async function probe(path: string): Promise<void> {
  const beside = besideOf(path);
  try {
    await (await open(beside, "wx")).close();
  } catch (cause) {
    throw fileError("cannot write", path, cause);
  } finally {
    await rm(beside, { force: true });
  }
}

const besideOf = (path: string): string =>
  join(
    dirname(path),
    `.${basename(path).slice(0, 100)}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`,
  );

const exists = (path: string): ScconvError =>
  new ScconvError("bad-input", "exists already", { where: path, hint: "--force replaces it" });

/** A rename that replaces nothing: a second name for the file, which the system refuses where the name is taken. */
async function renameOntoNothing(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Some file systems (FAT, some network mounts) have no second names.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw cause;
    if (await stat(to).catch(() => undefined)) throw exists(to);
    await rename(from, to);
  }
}

/** The rename itself survives a power cut only once the folder is flushed; Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch {
    // Some file systems refuse to flush folders; the file itself is safe.
  } finally {
    await handle.close();
  }
}
