import { isFloat } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { Random } from "../base/random.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { fedInputs } from "../graph/fed-inputs.js";
import type { Graph } from "../graph/ir.js";
import type { NamedTensors } from "./session.js";

export interface BindOptions {
  readonly batch: number;
  /** For every symbolic size that is not the batch. */
  readonly size?: number | undefined;
  /** The file, for messages. */
  readonly where: string;
}

/** The numbers that symbolic sizes get: the first size of an input is the batch, others are `size`. */
export function inputSizes(graph: Graph, { batch, size, where }: BindOptions): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, type } of fedInputs(graph)) {
    if (!type?.shape)
      throw new ScconvError("unsupported", `input "${name}" has no declared shape`, { where });
    type.shape.forEach((d, axis) => {
      if (typeof d === "number") {
        if (axis === 0 && d !== batch && batch !== 1) throw fixedBatch(where, name, d, batch);
      } else if (axis === 0) sizes.set(d, batch);
      else if (!sizes.has(d) && size !== undefined) sizes.set(d, size);
      else if (!sizes.has(d)) {
        throw new ScconvError("bad-setting", `size ${axis} of input "${name}" is not fixed`, {
          where,
          got: type.shape!.map((s) => `${s}`.replace(/^\?.*/, "?")).join("×"),
          hint: "give --size N",
        });
      }
    });
  }
  return sizes;
}

const fixedBatch = (where: string, input: string, need: number, got: number): ScconvError =>
  new ScconvError("bad-setting", "the model's batch is fixed", {
    where: `${where}, input "${input}"`,
    got: `--batch ${got}`,
    need: `${need}`,
  });

/** Something to feed: standard normal numbers where floats are asked for, zeros (valid as indices) elsewhere. */
export function randomFeeds(graph: Graph, options: BindOptions, seed: number): NamedTensors {
  const sizes = inputSizes(graph, options);
  const rng = new Random(seed);
  return new Map(
    fedInputs(graph).map(({ name, type }) => {
      const dims = type!.shape!.map((d) => (typeof d === "number" ? d : sizes.get(d)!));
      if (!isFloat(type!.dtype)) return [name, Tensor.zeros(type!.dtype, dims)];
      const values = Float64Array.from({ length: sizeOf(dims) }, () => rng.normal());
      return [name, Tensor.from(type!.dtype, dims, values)];
    }),
  );
}
