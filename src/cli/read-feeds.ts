import { readFile } from "node:fs/promises";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { imageTensor } from "../data/image-tensor.js";
import type { Model, ValueInfo } from "../graph/ir.js";
import { decodeImageFile } from "../host/node/data/decode-image.js";
import { fileError } from "../host/node/file-errors.js";
import { decodeSafetensors } from "../runtime/safetensors.js";
import { cropFor, normalizeFor } from "../train/model-images.js";
import { decodeNpy } from "./npy.js";

export interface FeedOptions {
  readonly model: Model;
  /** That have to be fed. */
  readonly inputs: readonly ValueInfo[];
  /** The model's file. */
  readonly where: string;
  readonly normalize: string | undefined;
  warn(text: string): void;
}

/** Reads what `--input` names into the model's inputs; every input must be fed, with the type that it declares. */
export async function readFeeds(
  given: readonly string[],
  options: FeedOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const { inputs, where } = options;
  const feeds = new Map<string, Tensor>();
  for (const entry of given) {
    const { name, file } = splitName(entry, inputs);
    for (const [key, tensor] of await readOne(file, name, options)) feeds.set(key, tensor);
  }
  const unknown = [...feeds.keys()].find((n) => !inputs.some((i) => i.name === n));
  const named = inputs.map((i) => i.name).join(", ");
  if (unknown) throw new ScconvError("bad-input", `no input "${unknown}"`, { where, need: named });
  return new Map(
    inputs.map((input) => {
      const tensor = feeds.get(input.name);
      if (!tensor)
        throw new ScconvError("bad-input", `input "${input.name}" is not fed`, { where, need: named });
      return [input.name, fitted(tensor, input)];
    }),
  );
}

/** `NAME=FILE`, where NAME is an input; file names may hold `=` too. */
function splitName(entry: string, inputs: readonly ValueInfo[]): { name: string | undefined; file: string } {
  const owner = inputs.find((i) => entry.startsWith(`${i.name}=`));
  return owner
    ? { name: owner.name, file: entry.slice(owner.name.length + 1) }
    : { name: undefined, file: entry };
}

async function readOne(
  file: string,
  name: string | undefined,
  options: FeedOptions,
): Promise<Iterable<readonly [string, Tensor]>> {
  if (/\.safetensors$/i.test(file)) {
    const { tensors } = decodeSafetensors(await bytesOf(file), file);
    const only = tensors.size === 1 ? [...tensors.values()][0]! : undefined;
    // A file of one tensor needs no name: there is only one way to read it.
    return only && (name ?? options.inputs.length === 1)
      ? [[name ?? options.inputs[0]!.name, only]]
      : tensors;
  }
  const input = name === undefined ? single(options, file) : options.inputs.find((i) => i.name === name)!;
  if (/\.npy$/i.test(file)) return [[input.name, decodeNpy(await bytesOf(file), file)]];
  return [[input.name, await readImage(file, input, options)]];
}

function single({ inputs, where }: FeedOptions, file: string): ValueInfo {
  if (inputs.length === 1) return inputs[0]!;
  throw new ScconvError("usage", "the model has several inputs", {
    where,
    need: `NAME=${file} with NAME one of ${inputs.map((i) => i.name).join(", ")}`,
  });
}

const bytesOf = (file: string): Promise<Buffer> =>
  readFile(file).catch((cause) => {
    throw fileError("cannot read the input", file, cause);
  });

/** An image as (1, C, H, W), in the size that the model declares, normalised. */
async function readImage(file: string, { name, type }: ValueInfo, options: FeedOptions): Promise<Tensor> {
  const [, channels, height, width] = type?.shape ?? [];
  const fits = type?.shape?.length === 4 && type.dtype === "float32" && (channels === 1 || channels === 3);
  if (!fits) {
    throw new ScconvError("bad-input", `input "${name}" takes no image`, {
      where: options.where,
      need: "float32 (N, 1 or 3, H, W)",
      got: `${type?.dtype ?? "?"}[${type?.shape?.join("×") ?? "?"}]`,
    });
  }
  const size = typeof height === "number" && height === width ? height : undefined;
  const image = await decodeImageFile(file, {
    channels,
    view: size === undefined ? undefined : { size, crop: cropFor(options.model, undefined, options.where) },
  });
  const normalize = normalizeFor(options.model, options.normalize, options);
  return imageTensor(image, normalize);
}

/** A tensor in the input's element type, with a batch axis added where only that is missing. */
function fitted(tensor: Tensor, { name, type }: ValueInfo): Tensor {
  const shape = type?.shape;
  const dims = shape && tensor.dims.length === shape.length - 1 ? [1, ...tensor.dims] : tensor.dims;
  const clash =
    shape && (shape.length !== dims.length || shape.some((d, i) => typeof d === "number" && d !== dims[i]));
  if (clash) {
    throw new ScconvError("bad-input", "the array does not fit the input", {
      where: `input "${name}"`,
      need: shape.map((d) => (`${d}`.startsWith("?") ? "?" : d)).join("×"),
      got: tensor.dims.join("×"),
    });
  }
  const shaped = dims === tensor.dims ? tensor : tensor.reshape(dims);
  return type ? shaped.cast(type.dtype) : shaped;
}
