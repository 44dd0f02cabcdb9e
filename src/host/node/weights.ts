import { limits } from "../../graph/limits.js";
import { type DecodedWeights, decodeWeights } from "../../weights/decode-weights.js";
import { readRegularFile } from "./read-file.js";

/** Reads a `.safetensors`, `.pt` or `.pth` file of weights. Nothing in it is run. Throws `not-found`, `bad-input`, `unsupported`. */
export const readWeights = async (path: string): Promise<DecodedWeights> =>
  decodeWeights(await readRegularFile(path, "the weights", limits.fileBytes), path);
