import { ScconvError } from "../base/errors.js";
import type { StringStringEntryProto } from "./gen/onnx_pb.js";

/** Where a tensor's bytes lie, as the file says it: nothing of it has been checked against a disk. */
export interface ExternalData {
  /** Relative to the folder of the model; plain segments joined by `/`. */
  readonly location: string;
  readonly offset: number;
  /** Undefined: to the end of the file. */
  readonly length?: number | undefined;
}

/**
 * Gives what fetches the bytes of a tensor that lie in another file. It is told how many they must be, and has to refuse at
 * once what leads elsewhere or is not there, so that nothing is found out half way.
 */
export type ExternalReader = (data: ExternalData, bytes: number, where: string) => () => Uint8Array;

/**
 * Reads `external_data` (onnx/docs/ExternalData.md). The location is a name below the model's folder: absolute paths, `..`,
 * backslashes, drive letters, URLs, control characters and the engine's own mark for addresses in memory are refused as
 * text, whatever the system at hand would make of them.
 */
export function readExternalData(entries: readonly StringStringEntryProto[], where: string): ExternalData {
  const values = new Map<string, string>();
  for (const { key, value } of entries) {
    if (values.has(key)) throw bad("its external data is ambiguous", where, `"${key}" twice`);
    values.set(key, value);
  }
  const location = values.get("location") ?? "";
  const wrong = misplaced(location);
  if (wrong) throw bad(`the place of its external data ${wrong}`, where, `"${location}"`);
  return {
    location: location
      .split("/")
      .filter((s) => s !== ".")
      .join("/"),
    offset: wholeNumber(values, "offset", where) ?? 0,
    length: wholeNumber(values, "length", where),
  };
}

function misplaced(location: string): string | undefined {
  if (location === "") return "is not given";
  if (location.length > 1024) return "is longer than any path";
  if (/\p{Cc}/u.test(location)) return "holds control characters";
  if (/ORT_\w*MEM_ADDR/.test(location)) return "is the engine's mark for an address in memory";
  if (location.includes("\\")) return "holds a backslash";
  if (/^[a-z][a-z\d+.-]*:/i.test(location)) return "is a URL or begins with a drive letter";
  if (location.startsWith("/")) return "is absolute";
  const segments = location.split("/");
  if (segments.includes("..")) return "leads out of the model's folder";
  if (segments.includes("") || segments.at(-1) === ".") return "is not the name of a file";
  return undefined;
}

function wholeNumber(values: ReadonlyMap<string, string>, key: string, where: string): number | undefined {
  const text = values.get(key);
  if (text === undefined) return undefined;
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw bad(`the ${key} of its external data is not a number of bytes`, where, `"${text}"`);
  }
  return number;
}

const bad = (what: string, where: string, got: string): ScconvError =>
  new ScconvError("invalid-graph", what, { where, got, need: "a file beside the model, by a relative name" });

/** Throws `invalid-graph` where a tensor of so many bytes does not lie in its file of `size` bytes, or does not fill what it is given. */
export function checkRange(
  { offset, length }: ExternalData,
  bytes: number,
  { size, where }: { size: number; where: string },
): void {
  if (length !== undefined && length !== bytes) {
    throw new ScconvError("invalid-graph", "its external data does not fill its dimensions", {
      where,
      need: `${bytes} bytes`,
      got: `${length}`,
    });
  }
  if (offset + bytes > size) {
    throw new ScconvError("invalid-graph", "its external data ends behind the end of the file", {
      where,
      need: `${offset} + ${bytes} bytes`,
      got: `a file of ${size}`,
    });
  }
}
