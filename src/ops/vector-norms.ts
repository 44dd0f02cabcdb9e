import { stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intAttr, intsAttr, type Node } from "../graph/ir.js";
import { type EvaluateContext, free, type Operator } from "../graph/operator.js";
import { axisOf, positive } from "./axis.js";
import { broadcastIndex } from "./elementwise.js";
import { add, div, mul, pow, reduceMean, reduceSum, reduceSumSquare, sign, sqrt, sub } from "./emit.js";

/** Normalisations by a length: LpNormalization, MeanVarianceNormalization, RMSNormalization. */

const infer: Operator["infer"] = (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }];

/** Replaces the elements of each group (all positions of `axes`) by f of them. */
function overGroups(x: Tensor, axes: readonly number[], f: (group: Float64Array) => Float64Array): Tensor {
  const strides = stridesOf(x.dims);
  const kept = x.dims.map((d, a) => (axes.includes(a) ? 1 : d));
  const own = stridesOf(kept);
  const groups = new Map<number, number[]>();
  for (let i = 0; i < x.size; i++) {
    let key = 0;
    for (let a = 0; a < x.dims.length; a++) {
      if (!axes.includes(a)) key += (Math.floor(i / strides[a]!) % x.dims[a]!) * own[a]!;
    }
    const list = groups.get(key);
    if (list) list.push(i);
    else groups.set(key, [i]);
  }
  const xs = x.numbers();
  const out = new Float64Array(x.size);
  for (const places of groups.values()) {
    const y = f(Float64Array.from(places, (i) => xs[i]!));
    for (const [k, i] of places.entries()) out[i] = y[k]!;
  }
  return Tensor.from(x.dtype, x.dims, out);
}

const total = (v: Float64Array, f: (x: number) => number) => v.reduce((s, x) => s + f(x), 0);

/** x/‖x‖ₚ along one axis, p = 1 or 2; 0 where all are 0. */
export const lpNormalization: Operator = {
  type: "LpNormalization",
  since: 1,
  infer,
  evaluate: ({ node, tensor }) => {
    const p = intAttr(node, "p", 2);
    return [
      overGroups(tensor(0), [axisOf(node, tensor(0).dims.length, -1)], (v) => {
        const norm = p === 1 ? total(v, Math.abs) : Math.sqrt(total(v, (x) => x * x));
        return v.map((x) => (norm === 0 ? 0 : x / norm));
      }),
    ];
  },
  cost: free,
  // dx = (dy − n′·Σ dy·y)/n, with n′ = y for p = 2 and sign x for p = 1
  grad: ({ b, node, x, y, dy }) => [
    () => {
      const axes = [axisOf(node, x(0).rank, -1)];
      const p = intAttr(node, "p", 2);
      const norm = b.add(p === 1 ? "ReduceL1" : "ReduceL2", [x(0), b.ints(axes)], { keepdims: 1 });
      const slope = p === 1 ? sign(x(0)) : y();
      return div(sub(dy(), mul(slope, reduceSum(mul(dy(), y()), axes))), norm);
    },
  ],
};

const mvnAxes = (node: Node, rank: number) =>
  (intsAttr(node, "axes") ?? [0, 2, 3]).map((a) => positive(a, rank));

/** (x − μ)/σ over `axes`. */
export const meanVarianceNormalization: Operator = {
  type: "MeanVarianceNormalization",
  since: 9,
  infer,
  evaluate: ({ node, tensor }) => [
    overGroups(tensor(0), mvnAxes(node, tensor(0).dims.length), (v) => {
      const mean = total(v, (x) => x) / v.length;
      const deviation = Math.sqrt(total(v, (x) => (x - mean) ** 2) / v.length);
      // The 1e-9 is part of ONNX's definition.
      return v.map((x) => (x - mean) / (deviation + 1e-9));
    }),
  ],
  cost: free,
  // dx = (dy − mean(dy) − y·mean(dy·y))/σ
  grad: ({ node, x, y, dy }) => [
    () => {
      const axes = mvnAxes(node, x(0).rank);
      const centred = sub(x(0), reduceMean(x(0), axes));
      const deviation = sqrt(reduceMean(mul(centred, centred), axes));
      const share = mul(y(), reduceMean(mul(dy(), y()), axes));
      return div(sub(sub(dy(), reduceMean(dy(), axes)), share), deviation);
    },
  ],
};

const rmsAxes = (node: Node, rank: number) => {
  const axis = axisOf(node, rank, -1);
  return Array.from({ length: rank - axis }, (_, i) => axis + i);
};

/** γ·x/√(mean x² + ε) over the axes from `axis` on. */
export const rmsNormalization: Operator = {
  type: "RMSNormalization",
  since: 23,
  infer,
  evaluate: ({ node, tensor }: EvaluateContext) => {
    const [x, scale] = [tensor(0), tensor(1)];
    const epsilon = floatAttr(node, "epsilon", 1e-5);
    const y = overGroups(x.cast("float64"), rmsAxes(node, x.dims.length), (v) => {
      const rms = Math.sqrt(total(v, (e) => e * e) / v.length + epsilon);
      return v.map((e) => e / rms);
    });
    const [ys, scales, index] = [y.numbers(), scale.numbers(), broadcastIndex(scale.dims, x.dims)];
    const out = Float64Array.from({ length: x.size }, (_, i) => ys[i]! * scales[index?.[i] ?? i]!);
    return [Tensor.from(x.dtype, x.dims, out)];
  },
  cost: free,
  // With r = 1/√(mean x² + ε), g = γ·dy: dx = r·(g − r²·x·mean(g·x)), dγ = Σ dy·x·r
  grad: (ctx) => {
    const { node, x, dy } = ctx;
    const axes = () => rmsAxes(node, x(0).rank);
    const root = (): Value =>
      ctx.shared("root", () => {
        const count = axes().reduce((n, a) => n * x(0).dims[a]!, 1);
        return pow(add(div(reduceSumSquare(x(0), axes()), count), floatAttr(node, "epsilon", 1e-5)), -0.5);
      });
    return [
      () => {
        const g = mul(dy(), x(1));
        const mean = reduceMean(mul(g, x(0)), axes());
        return mul(root(), sub(g, mul(mul(x(0), mul(root(), root())), mean)));
      },
      () => mul(dy(), mul(x(0), root())),
    ];
  },
};
