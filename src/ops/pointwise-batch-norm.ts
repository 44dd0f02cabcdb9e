import { productDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, type Node } from "../graph/ir.js";
import { type GradContext, none, type Operator } from "../graph/operator.js";
import { products } from "./conv-weight-gradient.js";
import {
  add,
  conv,
  div,
  matmul,
  mul,
  neg,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  SCCONV_DOMAIN,
  sqrt,
  sub,
  transpose,
} from "./emit.js";

/*
 * y = BatchNorm(W·x) in training, W a kernel of one pixel: a batch norm that never sees its input, so that W·x, as wide as y, is neither
 * made nor kept for the backward pass. A linear map's statistics follow from those of what it reads: with M pixels to a channel, μ and Σ
 * the mean and the covariance of x over the batch,
 *   mean = W·μ    variance = diag(W·Σ·Wᵀ)    σ² = variance + ε    W′ = diag(γ/σ)·W    y = W′·x + (β − (γ/σ)⊙mean)
 * and, with H = Σ dy·xᵀ, the gradients are
 *   dβ = Σ dy    dγ = (rows of H⊙W − dβ⊙mean)/σ
 *   dW = diag(γ/σ)·(H − dβ·μᵀ − diag(dγ/σ)·W·Σ)
 *   dx = W′ᵀ·dy + B·x + c,    B = −Wᵀ·diag(γ⊙dγ/(M·σ²))·W,    c = −W′ᵀ·dβ/M − B·μ
 * Over memory that is two passes over dy and two over x beside W·x's own, where the composed operators take a dozen over values as wide as
 * y. The price: Σ and B·x, 2·C²·M multiply-adds, and W·Σ and B, 2·K·C².
 */

/** Outputs beside y: the batch's mean and variance, and, for the gradient, μ, W′ and W·Σ. */
const [MEAN, VARIANCE, CENTRE, SCALED, SPREAD] = [1, 2, 3, 4, 5] as const;

/**
 * x (N, C, …), W (K, C, 1, …), γ (K), β (K) → y (N, K, …), mean (K) and biased variance (K) of the batch, μ (C), W′ (K, C), W·Σ (K, C).
 * Attribute: epsilon.
 */
export const pointwiseBatchNorm: Operator = {
  type: "PointwiseBatchNorm",
  domain: SCCONV_DOMAIN,
  since: 1,
  infer: (ctx) => {
    const [x, w] = [ctx.shape(0), ctx.shape(1)];
    const fits = x && w && w.length === x.length && w[1] === x[1] && w.slice(2).every((tap) => tap === 1);
    if (!fits) {
      throw ctx.error("the weight is no kernel of one pixel for its input", {
        got: `${w?.join("×") ?? "?"} for ${x?.join("×") ?? "?"}`,
      });
    }
    const [k, c] = w as [number, number];
    const shapes = [[x[0]!, k, ...x.slice(2)], [k], [k], [c], [k, c], [k, c]];
    return shapes.map((shape) => ({ dtype: ctx.dtype(0), shape }));
  },
  evaluate: ({ node, tensor, outputs }) => {
    const [x, w] = [tensor(0), tensor(1)];
    const [n, c, ...image] = x.dims as [number, number, ...number[]];
    const [k, pixels] = [w.dims[0]!, sizeOf(image)];
    const m = n * pixels;
    const [xs, ws] = [x.numbers(), w.numbers()];
    const [gamma, beta] = [tensor(2).numbers(), tensor(3).numbers()];
    const pixel = (i: number, p: number) => xs[(Math.floor(p / pixels) * c + i) * pixels + (p % pixels)]!;
    const centre = numbers(c, (i) => sum(m, (p) => pixel(i, p)) / m);
    const centred = (i: number, p: number) => pixel(i, p) - centre[i]!;
    const covariance = numbers(c * c, (e) => {
      const [i, j] = [Math.floor(e / c), e % c];
      return sum(m, (p) => centred(i, p) * centred(j, p)) / m;
    });
    const product = (row: number, f: (i: number) => number) => sum(c, (i) => ws[row * c + i]! * f(i));
    const spread = numbers(k * c, (e) => product(Math.floor(e / c), (i) => covariance[i * c + (e % c)]!));
    const mean = numbers(k, (row) => product(row, (i) => centre[i]!));
    const variance = numbers(k, (row) => product(row, (i) => spread[row * c + i]!));
    const scale = variance.map((v, row) => gamma[row]! / Math.sqrt(v + floatAttr(node, "epsilon", 1e-5)));
    const y = numbers(k * m, (e) => {
      const [of, row, p] = [Math.floor(e / (k * pixels)), Math.floor(e / pixels) % k, e % pixels];
      return scale[row]! * (product(row, (i) => pixel(i, of * pixels + p)) - mean[row]!) + beta[row]!;
    });
    const scaled = numbers(k * c, (e) => ws[e]! * scale[Math.floor(e / c)]!);
    const made: (readonly [readonly number[], Float64Array])[] = [
      [[n, k, ...image], y],
      [[k], mean],
      [[k], variance],
      [[c], centre],
      [[k, c], scaled],
      [[k, c], spread],
    ];
    return made.slice(0, outputs).map(([dims, values]) => Tensor.from(x.dtype, dims, values));
  },
  cost: (ctx, [out]) => {
    const [k, c] = ctx.shape(1) as [number, number];
    const values = productDim(out?.shape ?? ["?"]);
    return { macs: typeof values === "number" ? values * c + (values / k) * c * c + k * c * c : "?" };
  },
  grad: gradient,
  lower: (ctx) => {
    const { x, node } = ctx;
    const { c, m, flat, axes } = sizesOf(ctx);
    const weights = reshape(x(1), [-1, c]);
    const centre = reduceMean(x(0), axes);
    const centred = flat(sub(x(0), centre));
    const spread = div(matmul(weights, products(centred, centred)), m);
    // Rounding may leave less than nothing of a channel that hardly varies.
    const variance = relu(reduceSum(mul(spread, weights), [1], false));
    const mean = reshape(matmul(weights, column(centre)), [-1]);
    const scale = div(x(2), deviationOf(variance, node));
    const scaled = mul(weights, column(scale));
    const y = conv(x(0), reshape(scaled, x(1).dims), sub(x(3), mul(scale, mean)));
    return [y, mean, variance, reshape(centre, [c]), scaled, spread];
  },
};

function gradient(ctx: GradContext) {
  const { x, y, dy, node } = ctx;
  const nothing = none("nothing flows back from the batch's statistics");
  if (ctx.upstream.slice(1).some((u) => u)) return [nothing, nothing, nothing, nothing];
  const { c, m, flat, axes } = sizesOf(ctx);
  const shared = (key: string, make: () => Value) => () => ctx.shared(key, make);
  const weights = shared("weights", () => reshape(x(1), [-1, c]));
  const deviation = shared("deviation", () => deviationOf(y(VARIANCE), node));
  const sumDy = shared("sumDy", () => reduceSum(dy(), axes, false));
  const sumDyX = shared("sumDyX", () => products(flat(dy()), flat(x(0))));
  // dγ = Σ dy·ŷ
  const sumDyNormal = shared("sumDyNormal", () => {
    const sumDyWx = reduceSum(mul(sumDyX(), weights()), [1], false);
    return div(sub(sumDyWx, mul(sumDy(), y(MEAN))), deviation());
  });
  return [
    () => {
      const factor = div(mul(x(2), sumDyNormal()), mul(mul(deviation(), deviation()), -m));
      const turned = transpose(y(SCALED), [1, 0]);
      const between = matmul(transpose(weights(), [1, 0]), mul(weights(), column(factor)));
      const ofSum = div(matmul(turned, column(sumDy())), m);
      const shift = neg(reshape(add(ofSum, matmul(between, column(y(CENTRE)))), [-1]));
      const kernel = (v: Value) => reshape(v, [c, -1, ...x(1).dims.slice(2)]);
      return add(conv(dy(), kernel(turned)), conv(x(0), kernel(between), shift));
    },
    () => {
      const around = sub(sumDyX(), mul(column(sumDy()), reshape(y(CENTRE), [1, c])));
      const normal = mul(y(SPREAD), column(div(sumDyNormal(), deviation())));
      return reshape(mul(sub(around, normal), column(div(x(2), deviation()))), x(1).dims);
    },
    sumDyNormal,
    sumDy,
  ];
}

const numbers = (count: number, f: (i: number) => number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => f(i));

function sum(count: number, f: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += f(i);
  return total;
}

const column = (v: Value): Value => reshape(v, [-1, 1]);

/** σ = √(variance + ε) */
const deviationOf = (variance: Value, node: Node): Value =>
  sqrt(add(variance, floatAttr(node, "epsilon", 1e-5)));

function sizesOf({ x }: GradContext) {
  const [n, c, ...image] = x(0).dims as [number, number, ...number[]];
  const pixels = sizeOf(image);
  return {
    c,
    m: n * pixels,
    /** All but the channel's. */
    axes: [0, ...image.map((_, i) => i + 2)],
    /** (N, channels, pixels) */
    flat: (v: Value) => reshape(v, [n, v.dims[1]!, pixels]),
  };
}
