import { dtypes } from "../base/dtype.js";
import { Tensor } from "../base/tensor.js";
import type { ExternalData } from "./external.js";
import type { Graph } from "./ir.js";
import { limits } from "./limits.js";

/** The file of weights beside a model, as it is to be written. */
export interface DataFile {
  readonly pieces: readonly (Uint8Array | Tensor)[];
  readonly length: number;
  /** Where the data of an initializer lies; those that are not here stay in the model. */
  readonly places: ReadonlyMap<string, Required<ExternalData>>;
}

/** Smaller ones stay in the model: shapes and axes among them are needed before any data file is opened. */
const smallest = 1024;
/** Large ones begin at a page, so that they can be mapped into memory as they are (onnx/docs/ExternalData.md). */
const page = 4096;
const large = 2 ** 20;

const bytesIn = (t: Tensor): number => t.size * dtypes[t.dtype].bytes;

/** Whether weights and nodes together could be more than one file holds, or than `most` bytes; nodes get 64 MiB. */
export function needsDataFile({ initializers }: Graph, most: number = limits.fileBytes): boolean {
  let total = 2 ** 26;
  for (const t of initializers.values()) total += bytesIn(t);
  return total > most;
}

export function layOut({ initializers }: Graph, location: string): DataFile {
  const pieces: (Uint8Array | Tensor)[] = [];
  const places = new Map<string, Required<ExternalData>>();
  let at = 0;
  for (const [name, tensor] of initializers) {
    const length = bytesIn(tensor);
    if (length < smallest) continue;
    const step = length < large ? 64 : page;
    const pad = (step - (at % step)) % step;
    if (pad > 0) pieces.push(new Uint8Array(pad));
    at += pad;
    places.set(name, { location, offset: at, length });
    pieces.push(tensor);
    at += length;
  }
  return { pieces, length: at, places };
}

/** The bytes of pieces, one after the other; those of a tensor are fetched when its turn comes, and not held. */
export function* bytesOfPieces(pieces: Iterable<Uint8Array | Tensor>): Generator<Uint8Array> {
  for (const piece of pieces) yield piece instanceof Tensor ? piece.bytes : piece;
}
