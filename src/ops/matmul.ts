import { broadcastShapes, type Dim, formatShape, mulDim, productDim, type Shape } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intAttr } from "../graph/ir.js";
import type { InferContext, Operator } from "../graph/operator.js";
import { without } from "./axis.js";
import { broadcastIndex } from "./elementwise.js";
import { mul, matmul as product, reduceSum, reshape, squeeze, transpose, unsqueeze } from "./emit.js";

function matmulShape(ctx: InferContext, a: Shape, b: Shape): Shape {
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const [k, k2] = [left.at(-1)!, right.at(-2)!];
  const batch = broadcastShapes(left.slice(0, -2), right.slice(0, -2));
  if (!batch || (typeof k === "number" && typeof k2 === "number" && k !== k2)) {
    throw ctx.error("matrices do not fit", { got: `${formatShape(a)} and ${formatShape(b)}` });
  }
  const out: Dim[] = [...batch];
  if (a.length > 1) out.push(left.at(-2)!);
  if (b.length > 1) out.push(right.at(-1)!);
  return out;
}

const lastTwo = (v: Value): Value => {
  const perm = v.shape.map((_, i) => i);
  const r = perm.length;
  return transpose(v, [...perm.slice(0, -2), r - 1, r - 2]);
};

export const matmul: Operator = {
  type: "MatMul",
  since: 1,
  infer: (ctx) => {
    const [a, b] = [ctx.shape(0), ctx.shape(1)];
    return [{ dtype: ctx.dtype(0), shape: a && b && matmulShape(ctx, a, b) }];
  },
  evaluate: ({ tensor }) => {
    const [a, b] = [tensor(0), tensor(1)];
    const ad = a.dims.length === 1 ? [1, ...a.dims] : a.dims;
    const bd = b.dims.length === 1 ? [...b.dims, 1] : b.dims;
    const [m, k, n] = [ad.at(-2)!, ad.at(-1)!, bd.at(-1)!];
    const batch = broadcastShapes(ad.slice(0, -2), bd.slice(0, -2)) as number[];
    const [ia, ib] = [broadcastIndex(ad.slice(0, -2), batch), broadcastIndex(bd.slice(0, -2), batch)];
    const [as, bs] = [a.numbers(), b.numbers()];
    const out = new Float64Array(sizeOf(batch) * m * n);
    for (let g = 0; g < sizeOf(batch); g++) {
      const [oa, ob] = [(ia?.[g] ?? g) * m * k, (ib?.[g] ?? g) * k * n];
      for (let i = 0; i < m; i++)
        for (let l = 0; l < k; l++) {
          const v = as[oa + i * k + l]!;
          for (let j = 0; j < n; j++) out[(g * m + i) * n + j]! += v * bs[ob + l * n + j]!;
        }
    }
    const dims = [...batch, ...(a.dims.length > 1 ? [m] : []), ...(b.dims.length > 1 ? [n] : [])];
    return [Tensor.from(a.dtype, dims, out)];
  },
  cost: (ctx, [out]) => ({ macs: mulDim(productDim(out?.shape ?? ["?"]), ctx.shape(0)?.at(-1) ?? "?") }),
  // da = dy·bᵀ, db = aᵀ·dy; vectors are matrices with one row or column.
  grad: ({ x, dy }) => {
    const [a, b] = [x(0), x(1)];
    const whole = () => {
      let d = dy();
      if (a.rank === 1) d = unsqueeze(d, [b.rank === 1 ? 0 : d.rank - 1]);
      if (b.rank === 1) d = unsqueeze(d, [d.rank]);
      return d;
    };
    const am = () => (a.rank === 1 ? unsqueeze(a, [0]) : a);
    const bm = () => (b.rank === 1 ? unsqueeze(b, [1]) : b);
    return [
      () => {
        const da = product(whole(), lastTwo(bm()));
        return a.rank === 1 ? squeeze(sumLeading(da, 2), [0]) : da;
      },
      () => {
        // A matrix that many rows share: one product over all of them.
        if (b.rank === 2 && a.rank > 2) {
          const [k, n] = [a.shape.at(-1)!, b.shape.at(-1)!];
          if (typeof k === "number" && typeof n === "number") {
            return product(transpose(reshape(a, [-1, k]), [1, 0]), reshape(whole(), [-1, n]));
          }
        }
        const db = product(lastTwo(am()), whole());
        return b.rank === 1 ? squeeze(sumLeading(db, 2), [1]) : db;
      },
    ];
  },
};

function sumLeading(v: Value, keep: number): Value {
  const axes = v.shape.map((_, i) => i).slice(0, v.rank - keep);
  return axes.length ? squeeze(reduceSum(v, axes), axes) : v;
}

/** y = α·A′·B′ + β·C, the primes being transposes where `transA`, `transB` say so. */
export const gemm: Operator = {
  type: "Gemm",
  since: 7,
  // Before 7 a flag said that C is broadcast.
  upgrade: (node, from) => (from < 7 ? { ...node, attributes: without(node, "broadcast") } : node),
  infer: (ctx) => {
    const [a, b] = [ctx.shape(0), ctx.shape(1)];
    if (!a || !b) return [{ dtype: ctx.dtype(0), shape: undefined }];
    if (a.length !== 2 || b.length !== 2)
      throw ctx.error("Gemm takes matrices", { got: `${formatShape(a)} and ${formatShape(b)}` });
    const [ta, tb] = [intAttr(ctx.node, "transA", 0), intAttr(ctx.node, "transB", 0)];
    return [
      {
        dtype: ctx.dtype(0),
        shape: matmulShape(ctx, ta ? [a[1]!, a[0]!] : a, tb ? [b[1]!, b[0]!] : b),
      },
    ];
  },
  evaluate: ({ node, inputs, tensor }) => {
    const [a, b, c] = [tensor(0), tensor(1), inputs[2]];
    const [ta, tb] = [intAttr(node, "transA", 0), intAttr(node, "transB", 0)];
    const [alpha, beta] = [floatAttr(node, "alpha", 1), floatAttr(node, "beta", 1)];
    const [m, k] = ta ? [a.dims[1]!, a.dims[0]!] : [a.dims[0]!, a.dims[1]!];
    const n = tb ? b.dims[0]! : b.dims[1]!;
    const [as, bs, cs] = [a.numbers(), b.numbers(), c?.numbers()];
    const index = c && broadcastIndex(c.dims, [m, n]);
    const out = new Float64Array(m * n);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += as[ta ? l * m + i : i * k + l]! * bs[tb ? j * k + l : l * n + j]!;
        const at = i * n + j;
        out[at] = alpha * sum + (cs ? beta * cs[index?.[at] ?? at]! : 0);
      }
    return [Tensor.from(a.dtype, [m, n], out)];
  },
  cost: (ctx, [out]) => ({
    macs: mulDim(
      productDim(out?.shape ?? ["?"]),
      ctx.shape(0)?.[intAttr(ctx.node, "transA", 0) ? 0 : 1] ?? "?",
    ),
  }),
  // With D = α·dy: dA = D·B′ᵀ (transposed where A is), dB = A′ᵀ·D (likewise), dC = β·dy.
  grad: ({ b: g, node, x, dy }) => {
    const [ta, tb] = [intAttr(node, "transA", 0), intAttr(node, "transB", 0)];
    const [alpha, beta] = [floatAttr(node, "alpha", 1), floatAttr(node, "beta", 1)];
    const times = (p: Value, q: Value, transA: number, transB: number) =>
      g.add("Gemm", [p, q], {
        transA: transA || undefined,
        transB: transB || undefined,
        alpha: alpha === 1 ? undefined : { kind: "float", value: alpha },
      });
    return [
      () => (ta ? times(x(1), dy(), tb, 1) : times(dy(), x(1), 0, tb ? 0 : 1)),
      () => (tb ? times(dy(), x(0), 1, ta) : times(x(0), dy(), ta ? 0 : 1, 0)),
      () => (beta === 1 ? dy() : mul(dy(), beta)),
    ];
  },
};
