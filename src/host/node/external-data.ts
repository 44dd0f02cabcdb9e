import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { ScconvError } from "../../base/errors.js";
import { checkRange, type ExternalReader } from "../../graph/external.js";
import { systemWords } from "./file-errors.js";

export interface ExternalOptions {
  /** Take data files that are reached by a link, or that have more than one name. */
  readonly externalLinks?: boolean | undefined;
}

/** A data file as it was when it was checked. */
interface DataFile {
  readonly path: string;
  readonly stats: Stats;
}

export interface ExternalFiles {
  readonly read: ExternalReader;
  /** The data files so far, each once. */
  files(): readonly { readonly path: string; readonly bytes: number; readonly linked: boolean }[];
}

/**
 * Data files beside a model: regular files below its folder, reached through no link (unless those are allowed), with
 * offsets and lengths inside them. All of that is found out while the model is read; the bytes themselves are read when
 * they are asked for, from a file that must still be the same.
 */
export function externalFiles(model: string, { externalLinks = false }: ExternalOptions = {}): ExternalFiles {
  const folder = dirname(model);
  const known = new Map<string, DataFile>();
  const find = (location: string, where: string): DataFile => {
    const file = known.get(location) ?? checkFile(folder, location, { where, externalLinks });
    known.set(location, file);
    return file;
  };
  return {
    read: (data, bytes, where) => {
      const file = find(data.location, where);
      checkRange(data, bytes, { size: file.stats.size, where });
      return () => readRange(file, { offset: data.offset, bytes, where, externalLinks });
    },
    files: () =>
      [...known.values()].map(({ path, stats }) => ({
        path,
        bytes: stats.size,
        linked: lstatSync(path).isSymbolicLink() || stats.nlink > 1 || !isBelow(folder, path),
      })),
  };
}

interface Place {
  readonly where: string;
  readonly externalLinks: boolean;
}

function checkFile(folder: string, location: string, { where, externalLinks }: Place): DataFile {
  const refuse = (what: string, hint?: string) =>
    new ScconvError("bad-input", `its external data ${what}`, { where, got: `"${location}"`, hint });
  const allow = "--allow-external-links allows it";
  const path = join(folder, location);
  try {
    const segments = location.split("/");
    for (let i = 1; i <= segments.length && !externalLinks; i++) {
      const part = lstatSync(join(folder, ...segments.slice(0, i)));
      if (part.isSymbolicLink()) throw refuse("is reached through a link", allow);
    }
    const stats = withFile(path, externalLinks, (fd) => fstatSync(fd));
    if (!stats.isFile()) throw refuse("is no regular file");
    if (!externalLinks && stats.nlink > 1) throw refuse("has a second name (a hard link)", allow);
    if (!externalLinks && !isBelow(folder, path)) throw refuse("leads out of the model's folder");
    return { path, stats };
  } catch (cause) {
    if (cause instanceof ScconvError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    // What is opened is no longer what was looked at.
    if (code === "ELOOP") throw refuse("is reached through a link", allow);
    const missing = code === "ENOENT" || code === "ENOTDIR";
    throw new ScconvError(missing ? "not-found" : "io", `its external data: ${systemWords(cause)}`, {
      where,
      got: `"${location}"`,
      hint: missing ? "the data file has to lie beside the model" : undefined,
      cause,
    });
  }
}

/** After every link of both is resolved. */
function isBelow(folder: string, path: string): boolean {
  const way = relative(realpathSync(folder), realpathSync(path));
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}

interface Range {
  readonly offset: number;
  readonly bytes: number;
  readonly where: string;
  readonly externalLinks: boolean;
}

/** One read takes at most 2³¹ − 4096 bytes on Linux. */
const mostAtOnce = 2 ** 30;

function readRange({ path, stats }: DataFile, { offset, bytes, where, externalLinks }: Range): Uint8Array {
  const changed = (cause?: unknown) =>
    new ScconvError("io", "its external data changed while it was in use", { where, got: path, cause });
  const out = new Uint8Array(bytes);
  try {
    withFile(path, externalLinks, (fd) => {
      const now = fstatSync(fd);
      const same = (["dev", "ino", "size", "mtimeMs"] as const).every((k) => now[k] === stats[k]);
      if (!same) throw changed();
      for (let at = 0; at < bytes; ) {
        const n = readSync(fd, out, at, Math.min(mostAtOnce, bytes - at), offset + at);
        if (n === 0) throw changed();
        at += n;
      }
    });
  } catch (cause) {
    throw cause instanceof ScconvError ? cause : changed(cause);
  }
  return out;
}

/** Never waits for a writer (a FIFO), and follows no link at the end of the path where none is allowed. */
function withFile<T>(path: string, externalLinks: boolean, use: (fd: number) => T): T {
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | (externalLinks ? 0 : O_NOFOLLOW));
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
