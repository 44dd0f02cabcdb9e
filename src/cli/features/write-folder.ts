import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { fileError } from "../../host/node/file-errors.js";
import { checkWritableFolder, makeFolder, type WriteOptions, writeFileWhole } from "../../host/node/files.js";

/** Before the work: whether a folder of this name could be made. Throws `bad-input` where it is there and not empty. */
export async function checkNewFolder(folder: string, { force = false }: WriteOptions = {}): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() && !force && (await readdir(folder)).length > 0) {
    throw new ScconvError("bad-input", "exists already", { where: folder, hint: "--force writes into it" });
  }
  await checkWritableFolder(folder);
}

/**
 * Files into a folder, all of them or none: they are written beside it, and renamed once all are there. With `force` into
 * one that is there, whose other files stay.
 */
export async function writeFolder(
  folder: string,
  files: ReadonlyMap<string, Uint8Array | string>,
  options: WriteOptions = {},
): Promise<void> {
  const path = resolve(folder);
  await makeFolder(dirname(path));
  const beside = join(dirname(path), `.${basename(path).slice(0, 100)}.${process.pid}.tmp`);
  try {
    await mkdir(beside);
    for (const [name, bytes] of files) await writeFileWhole(join(beside, name), bytes);
    await checkNewFolder(path, options);
    if (!(await stat(path).catch(() => undefined))) {
      await rename(beside, path);
      return;
    }
    for (const name of files.keys()) await rename(join(beside, name), join(path, name));
    await rmdir(beside);
  } catch (cause) {
    throw cause instanceof ScconvError ? cause : fileError("cannot write", folder, cause);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}
