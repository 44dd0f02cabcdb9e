import { type FileEntry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { ScconvError } from "../base/errors.js";

/** The files of a zip archive in memory, by name. Reading one copies it and checks its CRC. */
export interface Archive {
  readonly names: readonly string[];
  /** Bytes of a file, uncompressed, as its entry says. */
  size(name: string): number | undefined;
  read(name: string): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

const MAX_ENTRIES = 100_000;

/**
 * Opens a zip archive of stored (not compressed) files, as torch.save writes it. Names are looked up, never written
 * anywhere. Throws `bad-input`: damaged, encrypted, compressed, files over one another, names that occur twice
 * or lead out of it.
 */
export async function openArchive(bytes: Uint8Array, where: string): Promise<Archive> {
  const bad = (what: string, facts: { got?: string; hint?: string; cause?: unknown } = {}) =>
    new ScconvError("bad-input", what, { where, ...facts });
  const refused = (cause: unknown) =>
    cause instanceof ScconvError ? cause : bad(`the zip archive is refused: ${reasonOf(cause)}`, { cause });
  // One call, no workers: the files are stored, so that there is nothing to compute but the checksum.
  const reader = new ZipReader(new Uint8ArrayReader(bytes), {
    useWebWorkers: false,
    checkSignature: true,
    checkOverlappingEntry: true,
  });
  const entries = new Map<string, FileEntry>();
  let total = 0;
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (entry.directory) continue;
      if (entries.size >= MAX_ENTRIES) throw bad(`the zip archive has more than ${MAX_ENTRIES} files`);
      if (entries.has(entry.filename)) throw bad(`the zip archive holds "${entry.filename}" twice`);
      if (entry.encrypted) throw bad(`"${entry.filename}" in the zip archive is encrypted`);
      if (entry.compressionMethod !== 0) {
        throw bad(`"${entry.filename}" in the zip archive is compressed`, {
          hint: "torch.save writes it uncompressed; save it again",
        });
      }
      total += entry.uncompressedSize;
      if (total > bytes.byteLength) throw bad("the files of the zip archive are larger than the archive");
      entries.set(entry.filename, entry);
    }
  } catch (cause) {
    throw refused(cause);
  }
  return {
    names: [...entries.keys()],
    size: (name) => entries.get(name)?.uncompressedSize,
    async read(name) {
      try {
        return await entries.get(name)?.getData(new Uint8ArrayWriter());
      } catch (cause) {
        throw refused(cause);
      }
    },
    close: () => reader.close(),
  };
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).toLowerCase();
