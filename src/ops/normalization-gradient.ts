import type { Value } from "../graph/builder.js";
import type { GradContext } from "../graph/operator.js";
import {
  add,
  div,
  expand,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  reshapeLike,
  sqrt,
  sub,
} from "./emit.js";

interface Layout {
  /** x as (images, groups, channels of a group, pixels); statistics are taken over the last two. */
  readonly view: readonly [number, number, number, number];
  /** Elements behind one statistic. */
  readonly count: number;
  /** γ and β in that view. */
  readonly parameter: readonly [number, number, number, number];
  /** What γ and β are first broadcast to; nothing where they have their whole size. */
  readonly parameterShape?: readonly number[];
  readonly epsilon: number;
}

/**
 * With g = dy·γ, x̄ = x − μ, and m elements to a group:
 *   dx = g/σ − x̄·Σ(g·x̄)/(m·σ³) − Σg/(m·σ),   dγ = Σ dy·x̄/σ,   dβ = Σ dy.
 * All sums are sums over channels of two numbers to a channel, Σ dy and Σ dy·x̄ over its pixels, so that dx is an affine
 * map of dy and x̄ with coefficients that are small.
 */
export function groupedGradient(
  ctx: GradContext,
  { view, count, parameter, parameterShape, epsilon }: Layout,
) {
  const { x, dy } = ctx;
  const once = (key: string, make: () => Value) => () => ctx.shared(key, make);
  const overPixels = (v: Value) => (view[3] === 1 ? v : reduceSum(v, [3]));
  const overGroup = (v: Value) => reduceSum(v, [2, 3]);
  const upstream = once("dy", () => reshape(dy(), view));
  const scale = once("scale", () => {
    const whole = parameterShape ? expand(x(1), ctx.b.ints(parameterShape)) : x(1);
    return reshape(whole, parameter);
  });
  const centred = once("centred", () => {
    const v = reshape(x(0), view);
    return sub(v, reduceMean(v, [2, 3]));
  });
  const deviation = once("deviation", () =>
    sqrt(
      add(
        div(ctx.b.add("ReduceSumSquare", [centred(), ctx.b.ints([2, 3])], { keepdims: 1 }), count),
        epsilon,
      ),
    ),
  );
  const sumDy = once("sumDy", () => overPixels(upstream()));
  const sumDyCentred = once("sumDyCentred", () => overPixels(mul(upstream(), centred())));
  // Back in the shape of the parameter, or of what it was broadcast to, which the walk sums over.
  const toParameter = (v: Value) => {
    const axes = parameter[2] === 1 && view[2] !== 1 ? [0, 2, 3] : [0, 3];
    const sum = reduceSum(v, axes);
    return parameterShape ? reshape(sum, parameterShape) : reshapeLike(sum, x(1));
  };
  return [
    () => {
      const p = div(scale(), deviation());
      // Σ over the group of γ·(sum over the pixels), as 1/m of it
      const inGroup = (v: Value) => div(overGroup(mul(v, scale())), count);
      const cube = mul(deviation(), mul(deviation(), deviation()));
      const q = neg(div(inGroup(sumDyCentred()), cube));
      const r = neg(div(inGroup(sumDy()), deviation()));
      return reshapeLike(add(mul(upstream(), p), add(mul(centred(), q), r)), x(0));
    },
    () => toParameter(div(sumDyCentred(), deviation())),
    () => toParameter(sumDy()),
  ];
}
