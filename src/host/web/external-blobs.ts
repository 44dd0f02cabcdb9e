import { ScconvError } from "../../base/errors.js";
import { checkRange, type ExternalReader } from "../../graph/external.js";
import { readBlob } from "./read-blob.js";

export interface ExternalBlobs {
  readonly read: ExternalReader;
  /** Reads those files that the model names; before that its weights cannot be had. */
  load(): Promise<void>;
  /** Those files, each once. */
  files(): readonly File[];
}

/**
 * Data files beside a model, as a user picks them: without folders, so the last part of the name that the model gives is what
 * finds them (`readExternalData` has refused names that lead elsewhere). Where two have one name, the path below a folder that
 * was picked as a whole decides. Offsets and lengths are checked while the model is read, before a byte of them is.
 */
export function externalBlobs(given: readonly File[]): ExternalBlobs {
  const named = new Map<string, File>();
  const contents = new Map<File, Uint8Array>();
  return {
    read: (data, bytes, where) => {
      const file = named.get(data.location) ?? find(given, data.location, where);
      // Else one file would stand for two.
      if (!named.has(data.location) && [...named.values()].includes(file)) throw ambiguous(where, file.name);
      named.set(data.location, file);
      checkRange(data, bytes, { size: file.size, where });
      return () => contents.get(file)!.subarray(data.offset, data.offset + bytes);
    },
    async load() {
      for (const file of new Set(named.values())) contents.set(file, await readBlob(file, file.name));
    },
    files: () => [...new Set(named.values())],
  };
}

function find(given: readonly File[], location: string, where: string): File {
  const name = location.slice(location.lastIndexOf("/") + 1);
  const same = given.filter((file) => file.name === name);
  const placed = same.filter((file) => `/${file.webkitRelativePath}`.endsWith(`/${location}`));
  const [found, second] = placed.length > 0 ? placed : same;
  if (!found) {
    throw new ScconvError("not-found", "its external data is not among the files", {
      where,
      need: `"${name}"`,
      got:
        given.length === 0
          ? "the model alone"
          : given
              .slice(0, 5)
              .map((f) => `"${f.name}"`)
              .join(", "),
      hint: "choose the data file together with the model",
    });
  }
  if (second) throw ambiguous(where, name);
  return found;
}

const ambiguous = (where: string, name: string): ScconvError =>
  new ScconvError("bad-input", "its external data is ambiguous", {
    where,
    got: `more than one place for "${name}"`,
    need: "one data file of each name",
    hint: "choose the folder that they lie in",
  });
