import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intAttr, type Node, nodeLabel } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { without } from "./axis.js";
import { add, div, mul, neg, reduceSum, reshape, sqrt, squeeze, sub } from "./emit.js";

/** Axes over which a channel's statistics are taken: all but the channel's. */
const spread = (rank: number) => Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);

/** A vector over channels, shaped to broadcast against (N, C, …). */
const perChannel = (v: Value, rank: number): Value =>
  reshape(v, [-1, ...new Array<number>(rank - 2).fill(1)]);

/**
 * y = γ·(x − μ)/√(σ² + ε) + β. In training mode μ, σ² are the batch's (biased), and outputs 1 and 2 are
 * momentum·running + (1 − momentum)·batch.
 */
export const batchNormalization: Operator = {
  type: "BatchNormalization",
  since: 14,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const channels = x?.[1] ?? 1;
    for (let i = 1; i < 5; i++) {
      const p = ctx.shape(i);
      if (
        p &&
        p.length === 1 &&
        typeof p[0] === "number" &&
        typeof channels === "number" &&
        p[0] !== channels
      ) {
        throw ctx.error(`parameter ${i} has ${p[0]} elements`, {
          need: `${channels} (one for each channel)`,
        });
      }
    }
    const statistics = { dtype: ctx.dtype(3), shape: [channels] };
    return [{ dtype: ctx.dtype(0), shape: x }, statistics, statistics];
  },
  evaluate: ({ node, tensor, outputs }) => {
    const x = tensor(0);
    const training = intAttr(node, "training_mode", 0) === 1;
    const epsilon = floatAttr(node, "epsilon", 1e-5);
    const momentum = floatAttr(node, "momentum", 0.9);
    const [n, c] = [x.dims[0]!, x.dims[1] ?? 1];
    const size = x.size / (n * c);
    const [xs, scale, bias, mean, variance] = [0, 1, 2, 3, 4].map((i) => tensor(i).numbers());
    const y = new Float64Array(x.size);
    const means = new Float64Array(c);
    const variances = new Float64Array(c);
    const each = (ch: number, f: (i: number) => void) => {
      for (let b = 0; b < n; b++) for (let s = 0; s < size; s++) f((b * c + ch) * size + s);
    };
    for (let ch = 0; ch < c; ch++) {
      let [mu, v] = [mean![ch]!, variance![ch]!];
      if (training) {
        let sum = 0;
        each(ch, (i) => {
          sum += xs![i]!;
        });
        mu = sum / (n * size);
        let squares = 0;
        each(ch, (i) => {
          squares += (xs![i]! - mu) ** 2;
        });
        v = squares / (n * size);
      }
      const factor = scale![ch]! / Math.sqrt(v + epsilon);
      each(ch, (i) => {
        y[i] = (xs![i]! - mu) * factor + bias![ch]!;
      });
      means[ch] = momentum * mean![ch]! + (1 - momentum) * mu;
      variances[ch] = momentum * variance![ch]! + (1 - momentum) * v;
    }
    const all = [
      Tensor.from(x.dtype, x.dims, y),
      Tensor.from(tensor(3).dtype, [c], means),
      Tensor.from(tensor(4).dtype, [c], variances),
    ];
    return all.slice(0, outputs);
  },
  cost: free,
  settings: [3, 4],
  upgrade: toFourteen,
  downgrade: (node, to, make) => {
    if (to >= 14) return node;
    if (intAttr(node, "training_mode", 0) === 1) throw make.cannot("set 14 (training_mode)");
    return { ...node, attributes: without(node, "training_mode") };
  },
  grad: (ctx) => (intAttr(ctx.node, "training_mode", 0) === 1 ? training(ctx) : inference(ctx)),
};

/** Fixed statistics: an affine map of each channel. */
function inference(ctx: GradContext) {
  const { node, x, dy } = ctx;
  const rank = x(0).rank;
  const epsilon = floatAttr(node, "epsilon", 1e-5);
  const deviation = () => ctx.shared("deviation", () => sqrt(add(x(4), epsilon)));
  const centred = () => ctx.shared("centred", () => sub(x(0), perChannel(x(3), rank)));
  const sumOf = (v: Value) => squeeze(reduceSum(v, spread(rank)), spread(rank));
  const sumDy = () => ctx.shared("sumDy", () => sumOf(dy()));
  const sumDyCentred = () => ctx.shared("sumDyCentred", () => sumOf(mul(dy(), centred())));
  return [
    () => mul(dy(), perChannel(div(x(1), deviation()), rank)),
    () => div(sumDyCentred(), deviation()),
    () => sumDy(),
    () => neg(mul(sumDy(), div(x(1), deviation()))),
    () => mul(sumDyCentred(), div(mul(x(1), -0.5), mul(deviation(), add(x(4), epsilon)))),
  ];
}

/**
 * Batch statistics. With m elements to a channel, x̂ = (x − μ)/σ, Σ over the channel:
 *   dγ = Σ dy·x̂,  dβ = Σ dy,  dx = (γ/σ)·(dy − dβ/m − x̂·dγ/m) = p·dy + q·x + r,
 * an affine map with three numbers to a channel, so that dx costs two products and two sums over memory, and Σ dy·x
 * is the only other pass.
 */
function training(ctx: GradContext) {
  const { b, node, x, dy } = ctx;
  const epsilon = floatAttr(node, "epsilon", 1e-5);
  const dims = x(0).dims;
  const rank = dims.length;
  const axes = spread(rank);
  const m = axes.reduce((n, a) => n * dims[a]!, 1);
  const vector = (v: Value) => reshape(v, [1, -1, ...new Array<number>(rank - 2).fill(1)]);
  // With momentum 0 the node itself gives the batch's statistics.
  const given = node.outputs.length >= 3 && floatAttr(node, "momentum", 0.9) === 0;
  const mean = () =>
    ctx.shared("mean", () =>
      given ? vector(ctx.y(1)) : b.add("ReduceMean", [x(0), b.ints(axes)], { keepdims: 1 }),
    );
  const variance = () => {
    if (given) return vector(ctx.y(2));
    const square = b.add("ReduceSumSquare", [x(0), b.ints(axes)], { keepdims: 1 });
    return sub(div(square, m), mul(mean(), mean()));
  };
  const deviation = () => ctx.shared("deviation", () => sqrt(add(variance(), epsilon)));
  const sumDy = () => ctx.shared("sumDy", () => reduceSum(dy(), axes));
  // Σ dy·x̂ = (Σ dy·x − μ·Σ dy)/σ
  const sumDyNormal = () =>
    ctx.shared("sumDyNormal", () =>
      div(sub(reduceSum(mul(dy(), x(0)), axes), mul(mean(), sumDy())), deviation()),
    );
  const statistic = none("running statistics are not trained");
  if (ctx.upstream[1] ?? ctx.upstream[2]) {
    return [
      none("nothing flows back from the running statistics"),
      statistic,
      statistic,
      statistic,
      statistic,
    ];
  }
  return [
    () => {
      const p = div(vector(x(1)), deviation());
      const q = neg(div(mul(p, sumDyNormal()), mul(deviation(), m)));
      const r = neg(add(div(mul(p, sumDy()), m), mul(q, mean())));
      return add(mul(dy(), p), add(mul(x(0), q), r));
    },
    () => squeeze(sumDyNormal(), axes),
    () => squeeze(sumDy(), axes),
    statistic,
    statistic,
  ];
}

/** Before 14 more outputs than one meant training; before 9 statistics could be kept for each pixel. */
function toFourteen(node: Node, from: number): Node {
  if (from >= 14) return node;
  if (from < 9 && intAttr(node, "spatial", 1) === 0) {
    throw new ScconvError("unsupported", "statistics for each pixel (spatial = 0)", {
      where: nodeLabel(node),
    });
  }
  const attributes = new Map(node.attributes);
  for (const name of ["spatial", "is_test", "consumed_inputs"]) attributes.delete(name);
  // Before 7 a flag said that it is inference, however many outputs there are.
  const testing = from < 7 && intAttr(node, "is_test", 0) === 1;
  if (testing || node.outputs.slice(1).every((n) => n === ""))
    return { ...node, attributes, outputs: [node.outputs[0]!] };
  attributes.set("training_mode", { kind: "int", value: 1 });
  return { ...node, attributes, outputs: node.outputs.slice(0, 3) };
}
