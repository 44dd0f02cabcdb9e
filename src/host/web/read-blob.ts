import { ScconvError } from "../../base/errors.js";
import { inGigabytes } from "../../graph/infer-types.js";
import { limits } from "../../graph/limits.js";

/** A whole file; its size is looked at before anything is read. Throws `bad-input` (too large), `io`. */
export async function readBlob(
  blob: Blob,
  where: string,
  most: number = limits.fileBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  if (blob.size > most) {
    throw new ScconvError("bad-input", "is too large", {
      where,
      need: `at most ${inGigabytes(most)}`,
      got: inGigabytes(blob.size),
    });
  }
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    const got = cause instanceof Error ? cause.message : String(cause);
    throw new ScconvError("io", "cannot be read", { where, got, hint: "choose the file again", cause });
  }
}
