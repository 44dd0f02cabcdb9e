import { ScconvError } from "../../base/errors.js";

const words = new Map([
  ["ENOENT", "no such file or folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["ENOSPC", "no space left on the disk"],
  ["EDQUOT", "the disk quota is used up"],
  ["EROFS", "the file system is read-only"],
  ["EISDIR", "is a folder"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EEXIST", "exists already"],
  ["EMFILE", "too many open files"],
  ["ENAMETOOLONG", "the name is too long"],
  ["EPIPE", "the reader went away"],
]);

/** Plain words for an error of the operating system. */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return words.get(code ?? "") ?? error.message.split("\n")[0]!;
}

/** An error of the operating system about `where`, as one that a user can act on. */
export function fileError(what: string, where: string, cause: unknown): ScconvError {
  if (cause instanceof ScconvError) return cause;
  const missing = (cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
  return new ScconvError(missing ? "not-found" : "io", `${what}: ${systemWords(cause)}`, { where, cause });
}
