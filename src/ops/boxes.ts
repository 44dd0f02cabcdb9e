import { unknownDim } from "../base/dims.js";
import { Tensor } from "../base/tensor.js";
import { floatAttr, intAttr, type Node } from "../graph/ir.js";
import { free, none, type Operator, zero } from "../graph/operator.js";

/** What detectors have behind the convolutions: NonMaxSuppression, MaxRoiPool. */

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

/** (regions, channels, cells down, cells across). */
export const pooled: Operator["infer"] = (ctx) => {
  const [x, regions] = [ctx.shape(0), ctx.shape(1)];
  const [height, width] = sizeOfRegion(ctx.node);
  return [
    { dtype: ctx.dtype(0), shape: [regions?.[0] ?? unknownDim(), x?.[1] ?? unknownDim(), height, width] },
  ];
};

export function sizeOfRegion(node: Node): [number, number] {
  const shape = node.attributes.get("pooled_shape");
  if (shape?.kind === "ints") return [shape.value[0]!, shape.value[1]!];
  return [intAttr(node, "output_height", 1), intAttr(node, "output_width", 1)];
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
