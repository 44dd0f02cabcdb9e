import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import { unpickle } from "./pickle.js";
import { stateDictIn } from "./state-dict.js";
import { type StoredTensor, torchGlobals, torchStorage } from "./torch-globals.js";
import { type Archive, openArchive } from "./zip.js";

export interface TorchWeights {
  readonly tensors: Map<string, Tensor>;
  /** Where in the file they were (`model`), "" at its top. */
  readonly under: string;
}

export interface TorchOptions {
  /** Which dictionary, where the file holds several: `model_ema`. */
  readonly under?: string | undefined;
}

/**
 * Reads the tensors of a file that `torch.save` (1.6 or newer) wrote: a zip archive of a pickle and one file for each
 * storage. Nothing of the pickle is run. Tensors come in the file's element types, row-major. Throws `bad-input`, or
 * `unsupported` for what is not a state dict.
 */
export async function decodeTorch(
  bytes: Uint8Array,
  where: string,
  { under }: TorchOptions = {},
): Promise<TorchWeights> {
  if (bytes[0] === 0x80) {
    throw new ScconvError("unsupported", "the format of torch before 1.6 is not read", {
      where,
      need: "a zip archive",
      hint: 'in Python: torch.save(torch.load("old.pt", weights_only=True), "new.pt")',
    });
  }
  const archive = await openArchive(bytes, where);
  try {
    const root = await rootOf(archive, where);
    const pickle = (await archive.read(`${root}data.pkl`))!;
    const value = unpickle(pickle, { where, globals: torchGlobals, persistent: torchStorage });
    const found = stateDictIn(value, where, under);
    const read = storageReader(archive, root, where);
    let left = COPIES * bytes.byteLength + 2 ** 20;
    const tensors = new Map<string, Tensor>();
    for (const [name, stored] of found.tensors) {
      const tensor = tensorOf(stored, await read(name, stored), `${where}: tensor "${name}"`);
      left -= tensor.bytes.byteLength;
      if (left < 0) throw new ScconvError("bad-input", "its tensors are far larger than the file", { where });
      tensors.set(name, tensor);
    }
    return { tensors, under: found.under };
  } finally {
    await archive.close();
  }
}

/** Views of one storage may be copied one by one, but not without end. */
const COPIES = 8;

/** Everything lies in one folder, called as the file was when it was saved. */
async function rootOf(archive: Archive, where: string): Promise<string> {
  const pickles = archive.names.filter((n) => n === "data.pkl" || n.endsWith("/data.pkl"));
  if (pickles.length !== 1) {
    throw new ScconvError("bad-input", "a zip archive, but not one that torch.save wrote", {
      where,
      need: "one data.pkl",
      got: `${pickles.length}`,
    });
  }
  const root = pickles[0]!.slice(0, -"data.pkl".length);
  if (archive.names.includes(`${root}constants.pkl`)) {
    throw new ScconvError("unsupported", "a TorchScript archive holds a program, not weights alone", {
      where,
      hint: 'in Python: torch.save(torch.jit.load("script.pt").state_dict(), "weights.pt")',
    });
  }
  const order = await archive.read(`${root}byteorder`);
  if (order && new TextDecoder().decode(order).trim() !== "little") {
    throw new ScconvError("unsupported", "its numbers are not little-endian", { where });
  }
  return root;
}

/** Each storage is read once, and when a tensor needs it. */
function storageReader(archive: Archive, root: string, where: string) {
  const read = new Map<string, Promise<Uint8Array | undefined>>();
  return async (name: string, { storage, type }: StoredTensor): Promise<Uint8Array> => {
    const { key, length } = storage;
    const bad = (what: string, facts = {}) =>
      new ScconvError("bad-input", what, { where: `${where}: tensor "${name}"`, ...facts });
    if (!type.dtype) {
      throw new ScconvError("unsupported", `elements of type ${type.name}`, {
        where: `${where}: tensor "${name}"`,
        need: "floats or integers",
      });
    }
    const need = length * (storage.type ? dtypes[storage.type.dtype ?? type.dtype].bytes : 1);
    const path = `${root}data/${key}`;
    const got = archive.size(path);
    if (got === undefined) throw bad(`its storage "${key}" is not in the file`);
    if (got !== need)
      throw bad(`its storage "${key}" has the wrong size`, { need: `${need} bytes`, got: `${got}` });
    let bytes = read.get(path);
    if (!bytes) {
      bytes = archive.read(path);
      read.set(path, bytes);
    }
    return (await bytes)!;
  };
}

/** A view where the elements lie in order, a copy otherwise. */
function tensorOf({ type, offset, dims, strides }: StoredTensor, bytes: Uint8Array, where: string): Tensor {
  const dtype = type.dtype!;
  const width = dtypes[dtype].bytes;
  const size = sizeOf(dims);
  const held = Math.floor(bytes.byteLength / width);
  const last = offset + dims.reduce((sum, d, i) => sum + (d - 1) * strides[i]!, 0);
  // Expanded views repeat elements; as many as the storage has are enough for any weight.
  if (size > 0 && (!Number.isSafeInteger(last) || last >= held || size > held)) {
    throw new ScconvError("bad-input", "it reaches beyond its storage", {
      where,
      got: `${dims.join("×")} from element ${offset} in steps of ${strides.join(", ")}`,
      need: `${held} elements`,
    });
  }
  const own = stridesOf(dims);
  const inOrder = size === 0 || dims.every((d, i) => d === 1 || strides[i] === own[i]);
  if (inOrder) {
    const from = size === 0 ? 0 : offset * width;
    return Tensor.ofBytes(dtype, dims, bytes.subarray(from, from + size * width));
  }
  const data = Tensor.ofBytes(dtype, [held], bytes.subarray(0, held * width)).data;
  const out = new (data.constructor as Float32ArrayConstructor)(size);
  const index = new Array<number>(dims.length).fill(0);
  let at = offset;
  for (let i = 0; i < size; i++) {
    out[i] = (data as Float32Array)[at]!;
    for (let a = dims.length - 1; a >= 0; a--) {
      at += strides[a]!;
      if (++index[a]! < dims[a]!) break;
      at -= strides[a]! * dims[a]!;
      index[a] = 0;
    }
  }
  return Tensor.of(dtype, dims, out);
}
