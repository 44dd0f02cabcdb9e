import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intAttr, type Node, stringAttr } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { pooled, sizeOfRegion } from "./boxes.js";
import {
  abs,
  add,
  clip,
  concat,
  div,
  equal,
  less,
  lessOrEqual,
  mask,
  matmul,
  mul,
  reduceMax,
  reduceSum,
  relu,
  reshape,
  slice,
  sub,
  transpose,
  unsqueeze,
} from "./emit.js";

const isHalfPixel = (node: Node): boolean =>
  stringAttr(node, "coordinate_transformation_mode", "half_pixel") === "half_pixel";

/** Bilinear samples of x in a grid inside each cell of each region, averaged (or their largest term). */
export const roiAlign: Operator = {
  type: "RoiAlign",
  since: 16,
  infer: pooled,
  evaluate: ({ node, tensor }) => {
    const [x, regions, images] = [tensor(0), tensor(1), tensor(2).numbers()];
    const [, channels, h, w] = x.dims as [number, number, number, number];
    const [height, width] = sizeOfRegion(node);
    const scale = floatAttr(node, "spatial_scale", 1);
    const ratio = intAttr(node, "sampling_ratio", 0);
    const half = isHalfPixel(node);
    const max = stringAttr(node, "mode", "avg") === "max";
    const [xs, rs] = [x.numbers(), regions.numbers()];
    const out = new Float64Array(regions.dims[0]! * channels * height * width);
    for (let r = 0; r < regions.dims[0]!; r++) {
      const shift = half ? 0.5 : 0;
      const [left, top, right, bottom] = [0, 1, 2, 3].map((k) => rs[r * 4 + k]! * scale - shift) as [
        number,
        number,
        number,
        number,
      ];
      // Without half_pixel no region is smaller than a pixel.
      const fit = (size: number) => (half ? size : Math.max(1, size));
      const [cellH, cellW] = [fit(bottom - top) / height, fit(right - left) / width];
      const [nh, nw] = [ratio || Math.ceil(cellH), ratio || Math.ceil(cellW)];
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const points = Array.from({ length: nh * nw }, (_, k) =>
            bilinear(
              top + (i + (Math.floor(k / nw) + 0.5) / nh) * cellH,
              left + (j + ((k % nw) + 0.5) / nw) * cellW,
              h,
              w,
            ),
          );
          for (let c = 0; c < channels; c++) {
            const plane = (images[r]! * channels + c) * h * w;
            const at = ((r * channels + c) * height + i) * width + j;
            const terms = points.map((p) => p.map(([k, weight]) => weight * xs[plane + k]!));
            out[at] = max
              ? Math.max(...terms.map((t) => (t.length ? Math.max(...t) : 0)))
              : terms.flat().reduce((a, b) => a + b, 0) / Math.max(1, nh * nw);
          }
        }
      }
    }
    return [Tensor.from(x.dtype, [regions.dims[0]!, channels, height, width], out)];
  },
  cost: free,
  grad: (ctx) => [
    stringAttr(ctx.node, "mode", "avg") === "max"
      ? none('no derivative is given for mode "max", which PyTorch does not have')
      : () => gradient(ctx),
    none("where the regions lie is taken as given, as in PyTorch"),
    none("indices are not differentiable"),
  ],
  // Before 16 coordinates were not shifted by half a pixel.
  upgrade: (node, from) =>
    from >= 16
      ? node
      : {
          ...node,
          attributes: new Map(node.attributes).set("coordinate_transformation_mode", {
            kind: "string",
            value: "output_half_pixel",
          }),
        },
};

/** The four pixels around a point with their weights; none more than a pixel outside. */
function bilinear(y: number, x: number, h: number, w: number): readonly (readonly [number, number])[] {
  if (y < -1 || y > h || x < -1 || x > w) return [];
  const axis = (v: number, n: number): [number, number, number] => {
    const low = Math.floor(Math.max(0, v));
    return low >= n - 1 ? [n - 1, n - 1, 0] : [low, low + 1, Math.max(0, v) - low];
  };
  const [y0, y1, ty] = axis(y, h);
  const [x0, x1, tx] = axis(x, w);
  return [
    [y0 * w + x0, (1 - ty) * (1 - tx)],
    [y0 * w + x1, (1 - ty) * tx],
    [y1 * w + x0, ty * (1 - tx)],
    [y1 * w + x1, ty * tx],
  ];
}

/**
 * Samples lie on a grid, and bilinear weights, what lies outside and the average are products of a row's and a column's share. So a
 * region is Y = A·X·Bᵀ with A (cells down, H) and B (cells across, W), and dX = Σ Aᵀ·dY·B over the regions of the image: the sum is
 * the second product's, and no image of a single region is made.
 */
function gradient(ctx: GradContext): Value {
  const { b } = ctx;
  const [x, dy] = [ctx.x(0), ctx.dy()];
  const [n, c, h, w] = x.dims as [number, number, number, number];
  const images = Tensor.from(
    "int64",
    [1, n],
    Array.from({ length: n }, (_, i) => i),
  );
  const own = mask(equal(unsqueeze(ctx.x(2), [1]), b.constant(images, "images")), dy);
  const down = mul(unsqueeze(shares(ctx, { axis: 0, size: h }), [2]), unsqueeze(own, [1, 3]));
  const across = matmul(dy, unsqueeze(shares(ctx, { axis: 1, size: w }), [1]));
  const rows = reshape(transpose(across, [0, 2, 1, 3]), [-1, c * w]);
  const sums = matmul(transpose(reshape(down, [-1, n * h]), [1, 0]), rows);
  return transpose(reshape(sums, [n, h, c, w]), [0, 2, 1, 3]);
}

/** (regions, cells, pixels): what each pixel along an axis adds to each cell. Inside: (regions, cells, samples, pixels). */
function shares({ b, node, x }: GradContext, { axis, size }: { axis: 0 | 1; size: number }): Value {
  const regions = x(1);
  const cells = sizeOfRegion(node)[axis];
  const ratio = intAttr(node, "sampling_ratio", 0);
  const half = isHalfPixel(node);
  const count = (to: number, dims: number[]): Value =>
    b.constant(
      Tensor.from(
        regions.dtype,
        dims,
        Array.from({ length: to }, (_, i) => i),
      ),
      "count",
    );
  const side = (k: number) => {
    const at = unsqueeze(slice(regions, { starts: [k], ends: [k + 1], axes: [1] }), [2, 3]);
    return mul(at, floatAttr(node, "spatial_scale", 1));
  };
  const [start, end] = [side(1 - axis), side(3 - axis)];
  const length = sub(end, start);
  const cell = div(half ? length : atLeastOne(length), cells);
  // Without a ratio there is a sample to each pixel of a cell, so that regions differ in how many they have.
  // A region of no extent has none.
  const many = ratio ? b.scalar(ratio, cell.dtype) : b.add("Ceil", [cell]);
  const samples = ratio ? count(ratio, [1, 1, ratio, 1]) : unsqueeze(upTo(many), [0, 1, 3]);
  const within = add(count(cells, [1, cells, 1, 1]), div(add(samples, 0.5), atLeastOne(many)));
  const place = add(half ? sub(start, 0.5) : start, mul(within, cell));
  // Up to a pixel outside counts as the border.
  const inside = mask(lessOrEqual(abs(sub(place, (size - 1) / 2)), (size + 1) / 2), place);
  const used = ratio ? inside : mul(inside, mask(less(samples, many), place));
  const near = relu(sub(1, abs(sub(clip(place, 0, size - 1), count(size, [1, 1, 1, size])))));
  return reduceSum(div(mul(near, used), atLeastOne(many)), [2], false);
}

const atLeastOne = (v: Value): Value => v.builder.add("Clip", [v, v.builder.scalar(1, v.dtype)]);

/** 0, 1 … below the largest; 0 at least, also where there is no region. */
function upTo(many: Value): Value {
  const { builder: b, dtype } = many;
  const flat = concat([reshape(many, [-1]), reshape(b.scalar(1, dtype), [1])], 0);
  return b.add("Range", [b.scalar(0, dtype), reduceMax(flat, [0], false), b.scalar(1, dtype)]);
}
