import { type Dim, formatShape, isStatic, type Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { float, floatAttr, intAttr, nodeLabel } from "../graph/ir.js";
import { free, type GradContext, type InferContext, type Operator, zero } from "../graph/operator.js";
import { axisOf } from "./axis.js";
import { broadcastIndex } from "./elementwise.js";
import { add, cast, div, mul, pow, reciprocal, reduceMean, reshape, reshapeLike, sqrt, sub } from "./emit.js";
import { groupedGradient } from "./normalization-gradient.js";

/*
 * y = γ·(x − μ)/√(σ² + ε) + β with statistics over parts of one image: InstanceNormalization (a channel),
 * GroupNormalization (a group of channels), LayerNormalization (the last axes). In memory such a part is contiguous.
 */

/** Every run of `size` elements brought to mean 0 and variance 1. */
function standardize(x: Tensor, size: number, epsilon: number) {
  const xs = x.numbers();
  const rows = x.size / Math.max(1, size);
  const values = new Float64Array(x.size);
  const means = new Float64Array(rows);
  const inverses = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += xs[r * size + i]!;
    const mean = sum / size;
    let squares = 0;
    for (let i = 0; i < size; i++) squares += (xs[r * size + i]! - mean) ** 2;
    means[r] = mean;
    inverses[r] = 1 / Math.sqrt(squares / size + epsilon);
    for (let i = 0; i < size; i++) values[r * size + i] = (xs[r * size + i]! - mean) * inverses[r]!;
  }
  return { values, means, inverses };
}

/** Channels and groups, or undefined where the channels are not known. */
function groupsOf(
  ctx: { node: InferContext["node"] },
  x: Shape,
): { channels: number; groups: number } | undefined {
  const channels = x[1];
  if (typeof channels !== "number") return undefined;
  return { channels, groups: intAttr(ctx.node, "num_groups", channels) };
}

function inferGrouped(ctx: InferContext) {
  const x = ctx.shape(0);
  const sizes = x && groupsOf(ctx, x);
  if (sizes) {
    const { channels, groups } = sizes;
    if (groups < 1 || channels % groups !== 0) {
      throw ctx.error("the number of channels is not a multiple of num_groups", {
        got: `${channels} channels (${formatShape(x)}), ${groups} groups`,
      });
    }
    for (const i of [1, 2]) {
      const n = ctx.shape(i)?.[0];
      if (typeof n === "number" && n !== channels && n !== groups) {
        throw ctx.error(`parameter ${i} has ${n} elements`, { need: `${channels} (one for each channel)` });
      }
    }
  }
  return [{ dtype: ctx.dtype(0), shape: x }];
}

/** Before operator set 21 scale and bias had one element for each group; which form it is shows in their length. */
const grouped: Omit<Operator, "type" | "since"> = {
  infer: inferGrouped,
  evaluate: ({ node, tensor }) => {
    const [x, scale, bias] = [tensor(0), tensor(1).numbers(), tensor(2).numbers()];
    const { channels, groups } = groupsOf({ node }, x.dims)!;
    const plane = sizeOf(x.dims.slice(2));
    const { values } = standardize(x, (channels / groups) * plane, floatAttr(node, "epsilon", 1e-5));
    for (let i = 0; i < values.length; i++) {
      const c = Math.floor(i / plane) % channels;
      const at = scale.length === channels ? c : Math.floor(c / (channels / groups));
      values[i] = values[i]! * scale[at]! + bias[at]!;
    }
    return [Tensor.from(x.dtype, x.dims, values)];
  },
  cost: free,
  grad: (ctx) => {
    const [x, scale] = [ctx.x(0).shape, ctx.x(1).dims[0]!];
    const sizes = groupsOf(ctx, x);
    if (!sizes) throw unknownSizes(ctx);
    const { channels, groups } = sizes;
    const width = channels / groups;
    return groupedGradient(ctx, {
      view: [0, groups, width, -1],
      count: width * known(ctx, x.slice(2)),
      parameter: scale === channels ? [1, groups, width, 1] : [1, groups, 1, 1],
      epsilon: floatAttr(ctx.node, "epsilon", 1e-5),
    });
  },
};

export const groupNormalization: Operator = {
  ...grouped,
  type: "GroupNormalization",
  since: 18,
  // It began with 18, with one scale for each group; since 21 there is one for each channel.
  older: (ctx, to) => {
    const scale = ctx.x(1).dims[0]!;
    const sizes = groupsOf(ctx, ctx.x(0).shape);
    if (!sizes) return undefined;
    const { channels, groups } = sizes;
    const exists = channels === groups || (scale === channels ? to >= 21 : to < 21);
    return to >= 18 && exists ? undefined : [groupedByInstance(ctx, groups, scale === channels)];
  },
};
export const instanceNormalization: Operator = { ...grouped, type: "InstanceNormalization", since: 6 };

/** Statistics are float32 whatever x is, but in float64 reference arithmetic. */
const statisticType = (x: DType): DType => (x === "float64" ? "float64" : "float32");

export const layerNormalization: Operator = {
  type: "LayerNormalization",
  since: 17,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const axis = x && axisOf(ctx.node, x.length, -1);
    const shape = x?.map((d, i): Dim => (i < axis! ? d : 1));
    const statistic = { dtype: statisticType(ctx.dtype(0)), shape };
    return [{ dtype: ctx.dtype(0), shape: x }, statistic, statistic];
  },
  evaluate: ({ node, inputs, tensor, outputs }) => {
    const [x, scale, bias] = [tensor(0), tensor(1), inputs[2]];
    const axis = axisOf(node, x.dims.length, -1);
    const inner = x.dims.slice(axis);
    const size = sizeOf(inner);
    const { values, means, inverses } = standardize(x, size, floatAttr(node, "epsilon", 1e-5));
    const [scaleAt, biasAt] = [scale, bias].map((t) => t && broadcastIndex(t.dims, x.dims));
    const [scales, biases] = [scale.numbers(), bias?.numbers()];
    for (let i = 0; i < values.length; i++) {
      values[i] = values[i]! * scales[scaleAt?.[i] ?? i]! + (biases ? biases[biasAt?.[i] ?? i]! : 0);
    }
    const dims = x.dims.map((d, i) => (i < axis ? d : 1));
    const statistic = statisticType(x.dtype);
    return [
      Tensor.from(x.dtype, x.dims, values),
      Tensor.from(statistic, dims, means),
      Tensor.from(statistic, dims, inverses),
    ].slice(0, outputs);
  },
  cost: free,
  grad: (ctx) => {
    const x = ctx.x(0).shape;
    const inner = x.slice(axisOf(ctx.node, x.length, -1));
    const count = known(ctx, inner);
    const [dx, ...parameters] = groupedGradient(ctx, {
      view: [-1, 1, count, 1],
      count,
      parameter: [1, 1, count, 1],
      parameterShape: inner as number[],
      epsilon: floatAttr(ctx.node, "epsilon", 1e-5),
    });
    const [dy, dMean, dInverse] = ctx.upstream;
    if (!dMean && !dInverse) return [dx, ...parameters];
    return [
      () => {
        // ∂μ/∂x = 1/m, ∂(1/σ)/∂x = −(x − μ)/(m·σ³)
        const v = ctx.x(0);
        const terms = dy ? [dx!()] : [];
        if (dMean) terms.push(div(cast(dMean, v.dtype), count));
        if (dInverse) {
          const axes = inner.map((_, i) => x.length - inner.length + i);
          const centred = sub(v, reduceMean(v, axes));
          terms.push(mul(centred, cast(div(mul(dInverse, pow(ctx.y(2), 3)), -count), v.dtype)));
        }
        return terms.reduce((a, b) => add(a, b));
      },
      ...parameters.map((rule) => (dy ? rule : zero("the statistics do not depend on it"))),
    ];
  },
  older: (ctx, to) => (to < 17 ? layerByParts(ctx) : undefined),
};

function known(ctx: GradContext, shape: Shape): number {
  if (!isStatic(shape)) throw unknownSizes(ctx);
  return sizeOf(shape);
}

const unknownSizes = (ctx: GradContext) =>
  new ScconvError("not-differentiable", "sizes must be fixed to differentiate a normalisation", {
    where: nodeLabel(ctx.node),
    got: formatShape(ctx.x(0).shape),
    hint: "bind the symbolic sizes first",
  });

/** A group's elements as one channel of an InstanceNormalization. */
function groupedByInstance(ctx: GradContext, groups: number, perChannel: boolean): Value {
  const { b, x, node } = ctx;
  const filled = (value: number) =>
    b.constant(Tensor.from(x(0).dtype, [groups], new Array<number>(groups).fill(value)), "one_to_a_group");
  const y = b.add(
    "InstanceNormalization",
    [reshape(x(0), [0, groups, -1]), ...(perChannel ? [filled(1), filled(0)] : [x(1), x(2)])],
    { epsilon: float(floatAttr(node, "epsilon", 1e-5)) },
  );
  const back = reshapeLike(y, x(0));
  if (!perChannel) return back;
  const vector = (v: Value) =>
    reshape(v, [
      1,
      -1,
      ...x(0)
        .shape.slice(2)
        .map(() => 1),
    ]);
  return add(mul(back, vector(x(1))), vector(x(2)));
}

/** LayerNormalization before 17: y, the mean and 1/σ. */
function layerByParts({ node, inputs, x }: GradContext): Value[] {
  const rank = x(0).rank;
  const first = axisOf(node, rank, -1);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const mean = reduceMean(x(0), axes);
  const centred = sub(x(0), mean);
  const variance = reduceMean(mul(centred, centred), axes);
  const inverse = reciprocal(sqrt(add(variance, floatAttr(node, "epsilon", 1e-5))));
  const scaled = mul(mul(centred, inverse), x(1));
  const y = inputs[2] ? add(scaled, inputs[2]) : scaled;
  return [y, mean, inverse].slice(0, node.outputs.length);
}
