import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AppendStore } from "../../train/event-log.js";
import { fileError } from "./file-errors.js";
import { writeFileWhole } from "./files.js";

/** A run's files in a folder; each is replaced whole, so that a kill at any moment leaves the one before. */
export const folderStore = (folder: string): AppendStore => ({
  letsGo: true,
  write: (name, bytes) => writeFileWhole(join(folder, name), bytes, { force: true }),
  async read(name) {
    const path = join(folder, name);
    try {
      return await readFile(path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw fileError("cannot read", path, cause);
    }
  },
  append: (name, bytes) =>
    appendFile(join(folder, name), bytes).catch((cause) => {
      throw fileError("cannot write", join(folder, name), cause);
    }),
  list: () => readdir(folder),
  remove: (name) => rm(join(folder, name), { force: true }),
});
