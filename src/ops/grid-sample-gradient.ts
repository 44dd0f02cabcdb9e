import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node, stringAttr } from "../graph/ir.js";
import type { GradContext } from "../graph/operator.js";
import {
  abs,
  add,
  cast,
  clip,
  concat,
  expand,
  expandLike,
  gatherElements,
  lessOrEqual,
  mask,
  mul,
  reduceSum,
  reshape,
  reshapeLike,
  sign,
  slice,
  sub,
  unsqueeze,
} from "./emit.js";

/*
 * Each place o of the grid reads a few pixels k of the image, and y[c, o] = Σ W[o, k]·x[c, at[o, k]], W being the product of a
 * weight along each axis. So dx[c, at[o, k]] += W[o, k]·dy[c, o], and with ∂L/∂W[o, k] = Σ dy[c, o]·x[c, at[o, k]] over the channels
 * the gradient of a coordinate is Σ ∂L/∂W·W over k, with that axis' weight replaced by its derivative.
 */

/** Of one axis, all (N, places, taps): pixels times the axis' stride, weights, and their derivatives by the coordinate. */
interface Axis {
  readonly at: Value;
  readonly weight: Value;
  readonly slope: () => Value;
}

/** Weights of the taps (columns) as polynomials in the distance from the pixel below: constant terms first. */
const kernels: Readonly<Record<string, { readonly first: number; readonly terms: readonly number[][] }>> = {
  nearest: { first: 0, terms: [[1]] },
  linear: {
    first: 0,
    terms: [
      [1, 0],
      [-1, 1],
    ],
  },
  // Keys' cubic with a = −0.75.
  cubic: {
    first: -1,
    terms: [
      [0, 1, 0, 0],
      [-0.75, 0, 0.75, 0],
      [1.5, -2.25, 1.5, -0.75],
      [-0.75, 1.25, -1.25, 0.75],
    ],
  },
};

export const modeOf = (node: Node): string =>
  stringAttr(node, "mode", "linear").replace("bilinear", "linear").replace("bicubic", "cubic");

const vector = (like: Value, values: readonly number[]): Value =>
  like.builder.constant(Tensor.from(like.dtype, [values.length], values), "taps");

/** Horner's rule, for all taps at once. */
const polynomial = (t: Value, terms: readonly number[][]): Value =>
  terms.slice(0, -1).reduceRight((sum, row) => add(mul(sum, t), vector(t, row)), vector(t, terms.at(-1)!));

const derivative = (terms: readonly number[][]): number[][] =>
  terms.length === 1 ? [terms[0]!.map(() => 0)] : terms.slice(1).map((row, i) => row.map((c) => c * (i + 1)));

/** Back and forth between the ends, and how that changes with v: 1 or −1. */
function reflected(v: Value, low: number, high: number): { value: Value; slope: () => Value } {
  const span = high - low;
  if (span <= 0) return { value: mul(v, 0), slope: () => mul(v, 0) };
  const away = sub(v, low);
  const turns = v.builder.add("Floor", [mul(away, 1 / (2 * span))]);
  const left = sub(span, sub(away, mul(turns, 2 * span)));
  return { value: sub(high, abs(left)), slope: () => sign(left) };
}

function axisOf(node: Node, coordinate: Value, { size, stride }: { size: number; stride: number }): Axis {
  const aligned = intAttr(node, "align_corners", 0) === 1;
  const padding = stringAttr(node, "padding_mode", "zeros");
  const mode = modeOf(node);
  const { first, terms } = kernels[mode]!;
  const within = (v: Value) => mask(lessOrEqual(abs(sub(v, (size - 1) / 2)), (size - 1) / 2), v);
  const mirrored = (v: Value) => (aligned ? reflected(v, 0, size - 1) : reflected(v, -0.5, size - 0.5));
  const scale = (aligned ? size - 1 : size) / 2;
  let place = add(mul(coordinate, scale), (size - 1) / 2);
  const chain: (() => Value)[] = [];
  // Of a cubic the taps are put back into the image, not the place.
  if (mode !== "cubic" && padding === "reflection") {
    const { value, slope } = mirrored(place);
    chain.push(slope);
    place = value;
  }
  if (mode !== "cubic" && padding !== "zeros") {
    const before = place;
    chain.push(() => within(before));
    place = clip(before, 0, size - 1);
  }
  const below = place.builder.add(mode === "nearest" ? "Round" : "Floor", [place]);
  const t = sub(place, below);
  const taps = add(
    below,
    vector(
      t,
      terms[0]!.map((_, i) => first + i),
    ),
  );
  // Constant weights are those of every place; pixels outside weigh nothing.
  const seen = (v: Value) => (padding === "zeros" ? mul(v, within(taps)) : expandLike(v, taps));
  const slope = () =>
    chain.reduce((v, factor) => mul(v, factor()), mul(polynomial(t, derivative(terms)), scale));
  const back = mode === "cubic" && padding === "reflection" ? mirrored(taps).value : taps;
  return {
    at: mul(cast(clip(back, 0, size - 1), "int64"), stride),
    weight: seen(polynomial(t, terms)),
    slope: () => seen(slope()),
  };
}

/** Every tap of an axis with every tap of the next. */
function pairs(op: (a: Value, b: Value) => Value, values: readonly Value[]): Value {
  const [n, places] = values[0]!.dims as [number, number];
  return values.reduce((a, b) => reshape(op(unsqueeze(a, [3]), unsqueeze(b, [2])), [n, places, -1]));
}

/** Thunks for the gradients of the image and of the grid. */
export function gridSampleGradient(ctx: GradContext): { image: () => Value; grid: () => Value } {
  const { b, node } = ctx;
  const [x, grid] = [ctx.x(0), ctx.x(1)];
  const [n, c, ...input] = x.dims as [number, number, ...number[]];
  const [rank, strides] = [input.length, stridesOf(input)];
  const places = sizeOf(grid.dims.slice(1, -1));
  let made: readonly Axis[] | undefined;
  const axes = () => {
    made ??= split();
    return made;
  };
  const split = () => {
    const flat = reshape(grid, [n, places, rank]);
    return input.map((size, a) => {
      // The last coordinate is the first axis'.
      const k = rank - 1 - a;
      const coordinate = slice(flat, { starts: [k], ends: [k + 1], axes: [2] });
      return axisOf(node, coordinate, { size, stride: strides[a]! });
    });
  };
  const dy = () => ctx.shared("dy", () => reshape(ctx.dy(), [n, c, places, 1]));
  // One list of pixels for each channel.
  const at = () =>
    ctx.shared("at", () => {
      const all = pairs(
        add,
        axes().map((a) => a.at),
      );
      const taps = all.dims[2]!;
      return expand(reshape(all, [n, 1, places * taps]), b.ints([n, c, places * taps]));
    });
  return {
    image: () => {
      const weight = pairs(
        mul,
        axes().map((a) => a.weight),
      );
      const updates = reshape(mul(dy(), unsqueeze(weight, [1])), [n, c, -1]);
      const nothing = expand(b.scalar(0, x.dtype), b.ints([n, c, sizeOf(input)]));
      const sums = b.add("ScatterElements", [nothing, at(), updates], { axis: 2, reduction: "add" });
      return reshapeLike(sums, x);
    },
    grid: () => {
      const pixels = reshape(gatherElements(reshape(x, [n, c, -1]), at(), 2), [n, c, places, -1]);
      const ofWeight = reduceSum(mul(dy(), pixels), [1], false);
      const along = axes().map((_, moved) => {
        const changed = pairs(
          mul,
          axes().map((a, i) => (i === moved ? a.slope() : a.weight)),
        );
        return reduceSum(mul(ofWeight, changed), [2]);
      });
      return reshapeLike(concat(along.reverse(), 2), grid);
    },
  };
}
