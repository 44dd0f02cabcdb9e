import { formatShape } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { type Node, stringAttr } from "../graph/ir.js";
import {
  type EvaluateContext,
  free,
  type GradContext,
  type InferContext,
  none,
  type Operator,
} from "../graph/operator.js";
import { add, div, equal, mask, mul, neg, not, reduceSum, reshape, softmax, sub, unsqueeze } from "./emit.js";
import { logSoftmax } from "./softmax.js";

/*
 * ℓ[n, d] = −w[t]·p[n, t, d] with t = target[n, d]: the negative log-likelihood of log-probabilities p (N, C, d…), or of
 * their softmax's logarithm; `mean` divides by the sum of the weights. Targets equal to `ignore_index` do not count.
 */

const reduction = (node: Node) => stringAttr(node, "reduction", "mean");

function lossShape(ctx: InferContext) {
  const [x, target] = [ctx.shape(0), ctx.shape(1)];
  if (x && target && x.length !== target.length + 1) {
    throw ctx.error("the target does not fit the scores", {
      got: `${formatShape(target)} for ${formatShape(x)}`,
      need: "their shape without the classes",
    });
  }
  return { dtype: ctx.dtype(0), shape: reduction(ctx.node) === "none" ? target : [] };
}

function lossOf({ node, inputs, tensor }: EvaluateContext, p: Tensor): Tensor {
  const target = tensor(1);
  const [ps, ts, ws] = [p.numbers(), target.numbers(), inputs[2]?.numbers()];
  const ignored = node.attributes.get("ignore_index");
  const classes = p.dims[1]!;
  const plane = sizeOf(p.dims.slice(2));
  const losses = new Float64Array(target.size);
  let weight = 0;
  for (let i = 0; i < losses.length; i++) {
    const t = ts[i]!;
    if (ignored?.kind === "int" && ignored.value === t) continue;
    const w = ws?.[t] ?? 1;
    losses[i] = -w * ps[(Math.floor(i / plane) * classes + t) * plane + (i % plane)]!;
    weight += w;
  }
  if (reduction(node) === "none") return Tensor.from(p.dtype, target.dims, losses);
  const sum = losses.reduce((a, b) => a + b, 0);
  return Tensor.from(p.dtype, [], [reduction(node) === "sum" ? sum : sum / weight]);
}

/** −∂ℓ/∂p: the weight of each target, at its class. */
function picked(ctx: GradContext): Value {
  const { b, node, x, inputs } = ctx;
  const classes = x(0).dims[1]!;
  const column = [
    1,
    classes,
    ...x(0)
      .shape.slice(2)
      .map(() => 1),
  ];
  const rows = Tensor.from(
    x(1).dtype,
    column,
    Array.from({ length: classes }, (_, i) => i),
  );
  const target = unsqueeze(x(1), [1]);
  let hot = mask(equal(b.constant(rows, "classes"), target), x(0));
  const ignored = node.attributes.get("ignore_index");
  if (ignored?.kind === "int") hot = mul(hot, mask(not(equal(target, ignored.value)), x(0)));
  return inputs[2] ? mul(hot, reshape(inputs[2], column)) : hot;
}

/** ∂ℓ/∂p times the gradient of the loss. */
function towards(ctx: GradContext): Value {
  const weights = picked(ctx);
  const dy = ctx.dy();
  const how = reduction(ctx.node);
  if (how === "none") return neg(mul(weights, unsqueeze(dy, [1])));
  const all = weights.shape.map((_, i) => i);
  return neg(mul(weights, how === "sum" ? dy : div(dy, reduceSum(weights, all, false))));
}

const target = none("labels are not differentiable");
const classWeights = none("class weights are settings");

export const negativeLogLikelihoodLoss: Operator = {
  type: "NegativeLogLikelihoodLoss",
  since: 12,
  infer: (ctx) => [lossShape(ctx)],
  evaluate: (ctx) => [lossOf(ctx, ctx.tensor(0))],
  cost: free,
  settings: [2],
  grad: (ctx) => [() => towards(ctx), target, classWeights],
};

export const softmaxCrossEntropyLoss: Operator = {
  type: "SoftmaxCrossEntropyLoss",
  since: 12,
  infer: (ctx) => [lossShape(ctx), { dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: (ctx) => {
    const node: Node = { ...ctx.node, attributes: new Map([["axis", { kind: "int", value: 1 }]]) };
    const [p] = logSoftmax.evaluate({ ...ctx, node }) as [Tensor];
    return [lossOf(ctx, p), p].slice(0, ctx.outputs);
  },
  cost: free,
  settings: [2],
  // Through the logarithm of the softmax: dx = g − softmax(x)·Σ g over the classes
  grad: (ctx) => [
    () => {
      const [dy, dp] = ctx.upstream;
      const parts = [...(dy ? [towards(ctx)] : []), ...(dp ? [dp] : [])];
      const g = parts.reduce((a, b) => add(a, b));
      return sub(g, mul(softmax(ctx.x(0), 1), reduceSum(g, [1])));
    },
    target,
    classWeights,
  ],
};
