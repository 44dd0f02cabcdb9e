import { formatShape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, nodeLabel } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { positive, without } from "./axis.js";
import { concat, expand, shapeVector } from "./emit.js";
import { plainScatter, scattered, scatterGradient } from "./gather-elements.js";

/*
 * The last axis of the indices holds the first coordinates of an element or a slice of x: GatherND takes it from there,
 * ScatterND puts an update there.
 */

/** Calls f(first element of the slice in x, k, size of a slice) for the k-th tuple of indices. */
function forEachSlice(
  ctx: { node: Parameters<typeof nodeLabel>[0] },
  x: Tensor,
  index: Tensor,
  batch: number,
  f: (at: number, k: number, size: number) => void,
): void {
  const depth = index.dims.at(-1)!;
  const strides = stridesOf(x.dims);
  const size = sizeOf(x.dims.slice(batch + depth));
  const perBatch = sizeOf(x.dims.slice(batch));
  const places = index.numbers();
  const tuples = sizeOf(index.dims.slice(0, -1));
  const inBatch = tuples / sizeOf(x.dims.slice(0, batch));
  for (let k = 0; k < tuples; k++) {
    let at = batch > 0 ? Math.floor(k / inBatch) * perBatch : 0;
    for (let d = 0; d < depth; d++) {
      const n = x.dims[batch + d]!;
      const place = positive(places[k * depth + d]!, n);
      if (!(place >= 0 && place < n)) {
        throw new ScconvError("shape", "an index is out of range", {
          where: nodeLabel(ctx.node),
          got: `${places[k * depth + d]} into ${formatShape(x.dims)} along axis ${batch + d}`,
        });
      }
      at += place * strides[batch + d]!;
    }
    f(at, k, size);
  }
}

export const gatherND: Operator = {
  type: "GatherND",
  since: 11,
  downgrade: (node, to, make) => {
    if (to >= 12) return node;
    if (intAttr(node, "batch_dims", 0) !== 0) throw make.cannot("set 12 (batch_dims)");
    return { ...node, attributes: without(node, "batch_dims") };
  },
  infer: (ctx) => {
    const [x, at] = [ctx.shape(0), ctx.shape(1)];
    const depth = at?.at(-1);
    const batch = intAttr(ctx.node, "batch_dims", 0);
    if (!x || !at || typeof depth !== "number") return [{ dtype: ctx.dtype(0), shape: undefined }];
    if (batch + depth > x.length) {
      throw ctx.error("more indices than axes", { got: `${formatShape(at)} into ${formatShape(x)}` });
    }
    return [{ dtype: ctx.dtype(0), shape: [...at.slice(0, -1), ...x.slice(batch + depth)] }];
  },
  evaluate: (ctx) => {
    const [x, index] = [ctx.tensor(0), ctx.tensor(1)];
    const batch = intAttr(ctx.node, "batch_dims", 0);
    const out = Tensor.zeros(x.dtype, [
      ...index.dims.slice(0, -1),
      ...x.dims.slice(batch + index.dims.at(-1)!),
    ]);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    forEachSlice(ctx, x, index, batch, (at, k, size) => to.set(from.subarray(at, at + size), k * size));
    return [out];
  },
  cost: free,
  // Each dy is added where its x came from; batch axes become indices of their own.
  grad: (ctx) => [
    () => {
      const nothing = expand(ctx.b.scalar(0, ctx.x(0).dtype), shapeVector(ctx.x(0)));
      return ctx.b.add("ScatterND", [nothing, fullIndices(ctx), ctx.dy()], { reduction: "add" });
    },
    none("indices are not differentiable"),
  ],
};

/** The indices with those of the batch before them. */
function fullIndices(ctx: GradContext): Value {
  const index = ctx.x(1);
  const batch = intAttr(ctx.node, "batch_dims", 0);
  if (batch === 0) return index;
  const rows = index.dims.slice(0, -1);
  const own = stridesOf(rows);
  const axes = Array.from({ length: batch }, (_, a) => a);
  const grid = Array.from({ length: sizeOf(rows) }, (_, i) =>
    axes.map((a) => Math.floor(i / own[a]!) % rows[a]!),
  ).flat();
  const places = Tensor.from("int64", [...rows, batch], grid);
  return concat([ctx.b.constant(places, "batch_index"), index], rows.length);
}

export const scatterND: Operator = {
  type: "ScatterND",
  since: 18,
  downgrade: plainScatter,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: (ctx) =>
    scattered(ctx, (f) => {
      forEachSlice(ctx, ctx.tensor(0), ctx.tensor(1), 0, (at, k, size) => {
        for (let j = 0; j < size; j++) f(at + j, k * size + j);
      });
    }),
  cost: free,
  grad: (ctx) =>
    scatterGradient(
      ctx,
      (from) => ctx.b.add("GatherND", [from, ctx.x(1)]),
      (into, updates) => ctx.b.add("ScatterND", [into, ctx.x(1), updates]),
    ),
};
