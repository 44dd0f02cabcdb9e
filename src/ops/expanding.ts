import { broadcastShapes, formatShape, mulDim, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { free, none, type Operator } from "../graph/operator.js";
import { broadcastIndex } from "./elementwise.js";
import { reduceSum, reshape, reshapeLike } from "./emit.js";

/** Operators that repeat elements: by broadcasting, and by tiles. */

const setting = none("shapes are not differentiable");

export const expand: Operator = {
  type: "Expand",
  since: 8,
  infer: (ctx) => {
    const [x, target] = [ctx.shape(0), ctx.ints(1)];
    if (!x || !target) {
      const rank = ctx.shape(1)?.[0];
      const known = x && typeof rank === "number" ? Math.max(rank, x.length) : undefined;
      return [
        {
          dtype: ctx.dtype(0),
          shape: ctx.openShape(known),
        },
      ];
    }
    const shape = broadcastShapes(x, target);
    if (!shape) {
      throw ctx.error("does not broadcast", { got: formatShape(x), need: formatShape(target) });
    }
    return [{ dtype: ctx.dtype(0), shape }];
  },
  evaluate: ({ tensor }) => {
    const x = tensor(0);
    const dims = broadcastShapes(x.dims, Array.from(tensor(1).numbers())) as number[];
    const index = broadcastIndex(x.dims, dims);
    if (!index) return [x];
    const out = Tensor.zeros(x.dtype, dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    for (let i = 0; i < to.length; i++) to[i] = from[index[i]!]!;
    return [out];
  },
  cost: free,
  // The walk sums over what was broadcast.
  grad: ({ dy }) => [() => dy(), setting],
};

export const tile: Operator = {
  type: "Tile",
  since: 6,
  infer: (ctx) => {
    const [x, repeats] = [ctx.shape(0), ctx.ints(1)];
    if (x && repeats && x.length !== repeats.length) {
      throw ctx.error("its repeats cannot be", { need: `${x.length} numbers`, got: `${repeats.length}` });
    }
    const shape: Shape | undefined = x?.map((d, i) => (repeats ? mulDim(d, repeats[i]!) : unknownDim()));
    return [{ dtype: ctx.dtype(0), shape }];
  },
  evaluate: ({ tensor }) => {
    const x = tensor(0);
    const repeats = Array.from(tensor(1).numbers());
    const wide = x.dims.flatMap((d, i) => [repeats[i]!, d]);
    const index = broadcastIndex(
      x.dims.flatMap((d) => [1, d]),
      wide,
    );
    const out = Tensor.zeros(
      x.dtype,
      x.dims.map((d, i) => d * repeats[i]!),
    );
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    for (let i = 0; i < sizeOf(wide); i++) to[i] = from[index?.[i] ?? i]!;
    return [out];
  },
  cost: free,
  // Σ over the tiles
  grad: ({ x, y, dy }) => [
    () => {
      const dims = x(0).dims;
      const repeats = y().dims.map((d, i) => d / dims[i]!);
      const apart = reshape(
        dy(),
        dims.flatMap((d, i) => [repeats[i]!, d]),
      );
      return reshapeLike(
        reduceSum(
          apart,
          dims.map((_, i) => 2 * i),
        ),
        x(0),
      );
    },
    setting,
  ],
};
