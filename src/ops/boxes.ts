import { unknownDim } from "../base/dims.js";
import { Tensor } from "../base/tensor.js";
import { floatAttr, intAttr, type Node, stringAttr } from "../graph/ir.js";
import { free, none, type Operator, zero } from "../graph/operator.js";

/** What detectors have behind the convolutions: NonMaxSuppression, RoiAlign, MaxRoiPool. */

interface Box {
  readonly y1: number;
  readonly x1: number;
  readonly y2: number;
  readonly x2: number;
}

function boxAt(v: ArrayLike<number>, at: number, centred: boolean): Box {
  const [a, b, c, d] = [v[at]!, v[at + 1]!, v[at + 2]!, v[at + 3]!];
  // Corners in any order, or centre and size.
  return centred
    ? { y1: b - d / 2, x1: a - c / 2, y2: b + d / 2, x2: a + c / 2 }
    : { y1: Math.min(a, c), x1: Math.min(b, d), y2: Math.max(a, c), x2: Math.max(b, d) };
}

function overlap(a: Box, b: Box): number {
  const height = Math.max(0, Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1));
  const width = Math.max(0, Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1));
  const area = (r: Box) => (r.y2 - r.y1) * (r.x2 - r.x1);
  const both = height * width;
  return both === 0 ? 0 : both / (area(a) + area(b) - both);
}

/** (n, 3): image, class and box of those that are kept, class by class, best first. */
export const nonMaxSuppression: Operator = {
  type: "NonMaxSuppression",
  since: 10,
  infer: () => [{ dtype: "int64", shape: [unknownDim(), 3] }],
  evaluate: ({ node, inputs, tensor }) => {
    const [boxes, scores] = [tensor(0), tensor(1)];
    const setting = (i: number, fallback: number) => Number(inputs[i]?.numbers()[0] ?? fallback);
    const [most, iou, least] = [setting(2, 0), setting(3, 0), setting(4, Number.NEGATIVE_INFINITY)];
    const centred = intAttr(node, "center_point_box", 0) === 1;
    const [images, classes, n] = scores.dims as [number, number, number];
    const [bs, ss] = [boxes.numbers(), scores.numbers()];
    const kept: number[] = [];
    for (let i = 0; i < images; i++) {
      for (let c = 0; c < classes; c++) {
        const score = (k: number) => ss[(i * classes + c) * n + k]!;
        const order = Array.from({ length: n }, (_, k) => k)
          .filter((k) => score(k) > least)
          .sort((a, b) => score(b) - score(a) || a - b);
        const chosen: Box[] = [];
        for (const k of order) {
          if (chosen.length >= most) break;
          const box = boxAt(bs, (i * n + k) * 4, centred);
          if (chosen.some((other) => overlap(box, other) > iou)) continue;
          chosen.push(box);
          kept.push(i, c, k);
        }
      }
    }
    return [Tensor.from("int64", [kept.length / 3, 3], kept)];
  },
  cost: free,
  grad: zero("positions are flat wherever they have a derivative"),
};

const pooled: Operator["infer"] = (ctx) => {
  const [x, regions] = [ctx.shape(0), ctx.shape(1)];
  const [height, width] = sizeOfRegion(ctx.node);
  return [
    { dtype: ctx.dtype(0), shape: [regions?.[0] ?? unknownDim(), x?.[1] ?? unknownDim(), height, width] },
  ];
};

function sizeOfRegion(node: Node): [number, number] {
  const shape = node.attributes.get("pooled_shape");
  if (shape?.kind === "ints") return [shape.value[0]!, shape.value[1]!];
  return [intAttr(node, "output_height", 1), intAttr(node, "output_width", 1)];
}

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
    const half = stringAttr(node, "coordinate_transformation_mode", "half_pixel") === "half_pixel";
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
  grad: none("no derivative is given; the convolutions before it can be trained with the head cut off"),
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

/** The largest pixel in each cell of each region (image, x1, y1, x2, y2), on whole pixels. */
export const maxRoiPool: Operator = {
  type: "MaxRoiPool",
  since: 1,
  infer: pooled,
  evaluate: ({ node, tensor }) => {
    const [x, regions] = [tensor(0), tensor(1)];
    const [, channels, h, w] = x.dims as [number, number, number, number];
    const [height, width] = sizeOfRegion(node);
    const scale = floatAttr(node, "spatial_scale", 1);
    const [xs, rs] = [x.numbers(), regions.numbers()];
    const out: number[] = [];
    for (let r = 0; r < regions.dims[0]!; r++) {
      const [left, top, right, bottom] = [1, 2, 3, 4].map((k) => Math.round(rs[r * 5 + k]! * scale)) as [
        number,
        number,
        number,
        number,
      ];
      const [rh, rw] = [Math.max(1, bottom - top + 1), Math.max(1, right - left + 1)];
      const clamp = (v: number, n: number) => Math.min(n, Math.max(0, v));
      for (let c = 0; c < channels; c++) {
        const plane = (rs[r * 5]! * channels + c) * h * w;
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) {
            const [y0, y1] = [Math.floor((i * rh) / height), Math.ceil(((i + 1) * rh) / height)];
            const [x0, x1] = [Math.floor((j * rw) / width), Math.ceil(((j + 1) * rw) / width)];
            let best = Number.NEGATIVE_INFINITY;
            for (let y = clamp(y0 + top, h); y < clamp(y1 + top, h); y++)
              for (let k = clamp(x0 + left, w); k < clamp(x1 + left, w); k++)
                best = Math.max(best, xs[plane + y * w + k]!);
            out.push(best === Number.NEGATIVE_INFINITY ? 0 : best);
          }
        }
      }
    }
    return [Tensor.from(x.dtype, [regions.dims[0]!, channels, height, width], out)];
  },
  cost: free,
  grad: none("no derivative is given; the convolutions before it can be trained with the head cut off"),
};
