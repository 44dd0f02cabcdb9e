import type { Tensor } from "../base/tensor.js";
import { decodeSafetensors } from "../runtime/safetensors.js";
import { decodeTorch, type TorchOptions } from "./torch-file.js";

export interface DecodedWeights {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly format: "torch" | "safetensors";
  /** Where in a torch checkpoint the tensors were, "" at its top. */
  readonly under: string;
}

/** Reads a file of weights, PyTorch's or safetensors, by what is in it and not by its name. Throws `bad-input`. */
export async function decodeWeights(
  bytes: Uint8Array,
  where: string,
  options: TorchOptions = {},
): Promise<DecodedWeights> {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  // The first eight bytes of safetensors are a length: 0x80 with no zeros behind it would be one beyond all limits.
  const isPickle = bytes[0] === 0x80 && bytes.subarray(4, 8).some((b) => b !== 0);
  if (isZip || isPickle) return { ...(await decodeTorch(bytes, where, options)), format: "torch" };
  return { tensors: decodeSafetensors(bytes, where).tensors, format: "safetensors", under: "" };
}
