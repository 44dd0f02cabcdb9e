import { formatShape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node, nodeLabel, stringAttr } from "../graph/ir.js";
import {
  type DowngradeContext,
  type EvaluateContext,
  free,
  type GradContext,
  none,
  type Operator,
} from "../graph/operator.js";
import { axisOf, positive, without } from "./axis.js";
import { forEachIndex } from "./counting.js";
import { div, equal, expand, mask, mul, shapeVector } from "./emit.js";

/*
 * GatherElements: y[i, j] = x[index[i, j], j] (axis 0), and its counterpart ScatterElements: y = x with
 * y[index[i, j], j] set to (or combined with) u[i, j].
 */

const indices = none("indices are not differentiable");

/** Calls f(element of x, element of the indices) for each index. */
function forEachPlace(ctx: EvaluateContext, f: (at: number, i: number) => void): void {
  const [x, index] = [ctx.tensor(0), ctx.tensor(1)];
  const axis = axisOf(ctx.node, x.dims.length, 0);
  const strides = stridesOf(x.dims);
  const places = index.numbers();
  const n = x.dims[axis]!;
  forEachIndex(index.dims, (at, i) => {
    let offset = 0;
    for (let a = 0; a < at.length; a++) offset += (a === axis ? 0 : at[a]!) * strides[a]!;
    const place = positive(places[i]!, n);
    if (place < 0 || place >= n) {
      throw new ScconvError("shape", "an index is out of range", {
        where: nodeLabel(ctx.node),
        got: `${places[i]} into ${formatShape(x.dims)} along axis ${axis}`,
      });
    }
    f(offset + place * strides[axis]!, i);
  });
}

export const gatherElements: Operator = {
  type: "GatherElements",
  since: 11,
  infer: (ctx) => {
    const [x, at] = [ctx.shape(0), ctx.shape(1)];
    if (x && at && x.length !== at.length) {
      throw ctx.error("indices need the rank of the input", {
        got: `${formatShape(at)} into ${formatShape(x)}`,
      });
    }
    return [{ dtype: ctx.dtype(0), shape: at }];
  },
  evaluate: (ctx) => {
    const [x, index] = [ctx.tensor(0), ctx.tensor(1)];
    const out = Tensor.zeros(x.dtype, index.dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    forEachPlace(ctx, (at, i) => {
      to[i] = from[at]!;
    });
    return [out];
  },
  cost: free,
  // Each dy is added where its x came from.
  grad: (ctx) => [
    () => {
      const nothing = expand(ctx.b.scalar(0, ctx.x(0).dtype), shapeVector(ctx.x(0)));
      const axis = intAttr(ctx.node, "axis", 0);
      return ctx.b.add("ScatterElements", [nothing, ctx.x(1), ctx.dy()], { axis, reduction: "add" });
    },
    indices,
  ],
};

/** How what is scattered meets what is there. */
export const combine: Readonly<Record<string, (was: number, update: number) => number>> = {
  none: (_was, update) => update,
  add: (was, update) => was + update,
  mul: (was, update) => was * update,
  max: Math.max,
  min: Math.min,
};

export const reductionOf = (ctx: Pick<EvaluateContext, "node">) => stringAttr(ctx.node, "reduction", "none");

/** x with the updates in it; `places` says where each of them goes. */
export function scattered(
  ctx: EvaluateContext,
  places: (f: (at: number, i: number) => void) => void,
): Tensor[] {
  const [x, updates] = [ctx.tensor(0), ctx.tensor(2)];
  const meet = combine[reductionOf(ctx)];
  if (!meet) {
    throw new ScconvError("unsupported", `reduction "${reductionOf(ctx)}"`, { where: nodeLabel(ctx.node) });
  }
  const [out, from] = [Float64Array.from(x.numbers()), updates.numbers()];
  places((at, i) => {
    out[at] = meet(out[at]!, from[i]!);
  });
  return [Tensor.from(x.dtype, x.dims, out)];
}

/**
 * Derivatives of y = scatter(x, indices, u): what an update overwrites gets nothing. Where two updates meet in one place,
 * `none` has no defined value, and none of its derivative either. `gather` and `scatter` go to the same places.
 */
export function scatterGradient(
  ctx: GradContext,
  gather: (from: Value) => Value,
  scatter: (into: Value, updates: Value) => Value,
) {
  const { x, y, dy } = ctx;
  const how = reductionOf(ctx);
  const zeros = () => expand(ctx.b.scalar(0, x(2).dtype), shapeVector(x(2)));
  const won = (v: Value, result: Value) => mask(equal(v, result), v);
  const rules: Readonly<Record<string, readonly [() => Value, () => Value]>> = {
    none: [() => scatter(dy(), zeros()), () => gather(dy())],
    add: [() => dy(), () => gather(dy())],
    // y = x·Πu
    mul: [() => div(mul(dy(), y()), x(0)), () => div(gather(mul(dy(), y())), x(2))],
    max: [() => mul(dy(), won(x(0), y())), () => mul(gather(dy()), won(x(2), gather(y())))],
  };
  const rule = rules[how === "min" ? "max" : how];
  return rule
    ? [rule[0], indices, rule[1]]
    : [none(`reduction "${how}"`), indices, none(`reduction "${how}"`)];
}

/** Reductions came with 16, the extremes among them with 18. */
export function plainScatter(node: Node, to: number, make: DowngradeContext): Node {
  const how = stringAttr(node, "reduction", "none");
  const since = how === "none" ? 11 : how === "add" || how === "mul" ? 16 : 18;
  if (to < since) throw make.cannot(`set ${since} (reduction "${how}")`);
  return to >= 16 ? node : { ...node, attributes: without(node, "reduction") };
}

export const scatterElements: Operator = {
  type: "ScatterElements",
  since: 18,
  downgrade: plainScatter,
  formerly: { Scatter: (node) => ({ ...node, op: "ScatterElements" }) },
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: (ctx) => scattered(ctx, (f) => forEachPlace(ctx, f)),
  cost: free,
  grad: (ctx) => {
    const axis = intAttr(ctx.node, "axis", 0);
    return scatterGradient(
      ctx,
      (from) => ctx.b.add("GatherElements", [from, ctx.x(1)], { axis }),
      (into, updates) => ctx.b.add("ScatterElements", [into, ctx.x(1), updates], { axis }),
    );
  },
};
