import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node } from "../graph/ir.js";
import { free, type Operator } from "../graph/operator.js";
import { abs, div, mul, pow, sign } from "./emit.js";
import { inferPool, kernelOf, overPlanes, pooledShape, scatter } from "./pool.js";
import { forEachTap, windowOf } from "./window.js";

/*
 * y = (Σ |x|ᵖ)^(1/p) over a window, or over the whole image: ∂y/∂x = sign(x)·|x|^(p−1)·y^(1−p).
 */

const powerOf = (node: Node) => intAttr(node, "p", 2);

/** sign(x)·|x|^(p−1) */
const slope = (x: Value, p: number): Value => {
  if (p === 1) return sign(x);
  return p === 2 ? x : mul(sign(x), pow(abs(x), p - 1));
};
/** dy·y^(1−p) */
const share = (dy: Value, y: Value, p: number): Value =>
  p === 1 ? dy : div(dy, p === 2 ? y : pow(y, p - 1));

export const lpPool: Operator = {
  type: "LpPool",
  since: 2,
  infer: inferPool,
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const p = powerOf(node);
    const input = x.dims.slice(2);
    const w = windowOf(node, x.dims, kernelOf({ node }));
    const planes = x.dims[0]! * x.dims[1]!;
    const [inSize, outSize] = [sizeOf(input), sizeOf(w.out as number[])];
    const xs = x.numbers();
    const y = new Float64Array(planes * outSize);
    forEachTap(w, input, (o, _t, at) => {
      for (let k = 0; k < planes; k++) y[k * outSize + o]! += Math.abs(xs[k * inSize + at]!) ** p;
    });
    const dims = [x.dims[0]!, x.dims[1]!, ...(w.out as number[])];
    return [
      Tensor.from(
        x.dtype,
        dims,
        y.map((v) => v ** (1 / p)),
      ),
    ];
  },
  cost: free,
  grad: (ctx) => [
    () => {
      const { dims } = ctx.x(0);
      const p = powerOf(ctx.node);
      const w = windowOf(ctx.node, dims, kernelOf(ctx));
      return mul(scatter(ctx, share(ctx.dy(), ctx.y(), p), w, dims.slice(2)), slope(ctx.x(0), p));
    },
  ],
};

export const globalLpPool: Operator = {
  type: "GlobalLpPool",
  since: 2,
  infer: pooledShape,
  evaluate: ({ node, tensor }) => {
    const p = powerOf(node);
    return [overPlanes(tensor(0), (v) => Array.from(v).reduce((s, x) => s + Math.abs(x) ** p, 0) ** (1 / p))];
  },
  cost: free,
  grad: ({ node, x, y, dy }) => [() => mul(slope(x(0), powerOf(node)), share(dy(), y(), powerOf(node)))],
};
