import { type Dim, formatShape, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, type Node, stringAttr } from "../graph/ir.js";
import { free, none, type Operator, zero } from "../graph/operator.js";
import { matmul, reshape, transpose } from "./emit.js";
import { gridSampleGradient, modeOf } from "./grid-sample-gradient.js";

/** Sampling at given places, and the grid of places of an affine map. Coordinates are −1 … 1 over the image. */

type Terms = readonly (readonly [at: number, weight: number])[];

/** Reflected at the borders (of pixels, or of their centres) as often as it takes. */
function reflect(v: number, low: number, high: number): number {
  const span = high - low;
  if (span <= 0) return 0;
  const away = Math.abs(v - low);
  const flips = Math.floor(away / span);
  const rest = away - flips * span;
  return flips % 2 === 0 ? low + rest : high - rest;
}

/** Pixels along one axis of n that a coordinate is made of. */
function termsAt(node: Node, g: number, n: number): Terms {
  const aligned = intAttr(node, "align_corners", 0) === 1;
  const padding = stringAttr(node, "padding_mode", "zeros");
  const mode = modeOf(node);
  let x = aligned ? ((g + 1) / 2) * (n - 1) : ((g + 1) * n - 1) / 2;
  const clamp = (v: number) => Math.min(n - 1, Math.max(0, v));
  const mirror = (v: number) => clamp(aligned ? reflect(v, 0, n - 1) : reflect(v, -0.5, n - 0.5));
  if (mode !== "cubic") {
    if (padding === "border") x = clamp(x);
    if (padding === "reflection") x = mirror(x);
  }
  const low = Math.floor(x);
  const t = x - low;
  // Halves to even, as rint has it.
  const nearest = t > 0.5 || (t === 0.5 && low % 2 !== 0) ? low + 1 : low;
  const raw: [number, number][] =
    mode === "nearest"
      ? [[nearest, 1]]
      : mode === "cubic"
        ? cubic(t).map((w, i) => [low - 1 + i, w])
        : [
            [low, 1 - t],
            [low + 1, t],
          ];
  if (padding === "zeros") return raw.filter(([i]) => i >= 0 && i < n);
  return raw.map(([i, w]) => [padding === "border" ? clamp(i) : Math.round(mirror(i)), w]);
}

/** Keys' cubic with a = −0.75. */
function cubic(t: number): number[] {
  const a = -0.75;
  const near = (d: number) => ((a + 2) * d - (a + 3)) * d * d + 1;
  const far = (d: number) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** x (N, C, D…), grid (N, D′…, rank) with coordinates from the last axis of x to the first → (N, C, D′…). */
export const gridSample: Operator = {
  type: "GridSample",
  since: 16,
  infer: (ctx) => {
    const [x, grid] = [ctx.shape(0), ctx.shape(1)];
    if (x && grid && x.length !== grid.length) {
      throw ctx.error("the grid does not fit the image", {
        got: `${formatShape(grid)} on ${formatShape(x)}`,
      });
    }
    return [{ dtype: ctx.dtype(0), shape: x && grid && [x[0]!, x[1]!, ...grid.slice(1, -1)] }];
  },
  evaluate: ({ node, tensor }) => {
    const [x, grid] = [tensor(0), tensor(1)];
    const [n, c] = x.dims as [number, number];
    const input = x.dims.slice(2);
    const rank = input.length;
    const strides = stridesOf(input);
    const outs = grid.dims.slice(1, -1);
    const [inSize, outSize] = [sizeOf(input), sizeOf(outs)];
    const [xs, gs] = [x.numbers(), grid.numbers()];
    const y = new Float64Array(n * c * outSize);
    for (let b = 0; b < n; b++) {
      for (let o = 0; o < outSize; o++) {
        let points: Terms = [[0, 1]];
        for (let a = 0; a < rank; a++) {
          const terms = termsAt(node, gs[(b * outSize + o) * rank + (rank - 1 - a)]!, input[a]!);
          points = points.flatMap(([at, w]) => terms.map(([i, v]) => [at + i * strides[a]!, w * v] as const));
        }
        for (let k = 0; k < c; k++) {
          let sum = 0;
          for (const [at, w] of points) sum += w * xs[(b * c + k) * inSize + at]!;
          y[(b * c + k) * outSize + o] = sum;
        }
      }
    }
    return [Tensor.from(x.dtype, [n, c, ...outs], y)];
  },
  cost: free,
  grad: (ctx) => {
    const { image, grid } = gridSampleGradient(ctx);
    return [image, modeOf(ctx.node) === "nearest" ? zero("the nearest pixel stays the same") : grid];
  },
  // Set 20 says linear and cubic, and takes volumes; sets before it say bilinear and bicubic.
  downgrade: (node, to, make) => {
    if (to < 16) throw make.cannot("set 16");
    if (to < 20 && (make.type(node.inputs[0]!)?.shape?.length ?? 4) > 4)
      throw make.cannot("set 20 (volumes)");
    const mode = stringAttr(node, "mode", "linear").replace(/^bi/, "");
    const value = to >= 20 || mode === "nearest" ? mode : `bi${mode}`;
    return { ...node, attributes: new Map(node.attributes).set("mode", { kind: "string", value }) };
  },
};

/** The coordinates of the pixels' centres (of the outermost ones' if aligned) along an axis of n. */
function centres(n: number, aligned: boolean): number[] {
  return Array.from({ length: n }, (_, i) =>
    aligned ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1,
  );
}

/** Rows (x, y, 1) or (x, y, z, 1), one for each pixel. */
function pixels(dims: readonly number[], aligned: boolean): Float64Array {
  const axes = dims.map((n) => centres(n, aligned));
  const own = stridesOf(dims);
  const width = dims.length + 1;
  const rows = new Float64Array(sizeOf(dims) * width);
  for (let i = 0; i < sizeOf(dims); i++) {
    for (let a = 0; a < dims.length; a++) {
      rows[i * width + (dims.length - 1 - a)] = axes[a]![Math.floor(i / own[a]!) % dims[a]!]!;
    }
    rows[i * width + width - 1] = 1;
  }
  return rows;
}

/** θ (N, r, r + 1) and a size (N, C, D…) → the grid (N, D…, r). */
export const affineGrid: Operator = {
  type: "AffineGrid",
  since: 20,
  infer: (ctx) => {
    const rank = ctx.shape(0)?.[1];
    const size = ctx.ints(1);
    const shape: Dim[] | undefined =
      size && rank !== undefined
        ? [size[0]!, ...size.slice(2), rank]
        : typeof rank === "number"
          ? Array.from({ length: rank + 2 }, unknownDim)
          : undefined;
    return [{ dtype: ctx.dtype(0), shape }];
  },
  evaluate: ({ node, tensor }) => {
    const [theta, size] = [tensor(0), Array.from(tensor(1).numbers())];
    const [n, r, width] = theta.dims as [number, number, number];
    const rows = pixels(size.slice(2), intAttr(node, "align_corners", 0) === 1);
    const count = rows.length / width;
    const ts = theta.numbers();
    const y = new Float64Array(n * count * r);
    for (let b = 0; b < n; b++)
      for (let i = 0; i < count; i++)
        for (let k = 0; k < r; k++)
          for (let j = 0; j < width; j++)
            y[(b * count + i) * r + k]! += rows[i * width + j]! * ts[(b * r + k) * width + j]!;
    return [Tensor.from(theta.dtype, [size[0]!, ...size.slice(2), r], y)];
  },
  cost: free,
  // y = P·θᵀ for each image, so dθ = dyᵀ·P
  grad: (ctx) => [
    (): Value => {
      const dy = ctx.dy();
      const spatial = dy.dims.slice(1, -1);
      const rank = spatial.length;
      const rows = pixels(spatial, intAttr(ctx.node, "align_corners", 0) === 1);
      const places = Tensor.from(dy.dtype, [rows.length / (rank + 1), rank + 1], rows);
      const flat = transpose(reshape(dy, [dy.dims[0]!, -1, rank]), [0, 2, 1]);
      return matmul(flat, ctx.b.constant(places, "pixels"));
    },
    none("a size is not differentiable"),
  ],
};
