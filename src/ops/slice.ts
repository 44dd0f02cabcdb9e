import { type Shape, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intsAttr, type Node, nodeLabel } from "../graph/ir.js";
import { free, type InferContext, none, type Operator, type UpgradeContext } from "../graph/operator.js";
import { positive } from "./axis.js";
import { contents } from "./contents.js";
import { slice as cut } from "./emit.js";
import { gather } from "./reshaping.js";

interface Cut {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Starts and ends are clamped into the axis; negative ones count from its end; a negative step walks backwards. */
function cutOf(size: number, start: number, end: number, step: number): Cut {
  const place = (v: number) => (v < 0 ? v + size : v);
  const clamp = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v));
  const s = step > 0 ? clamp(place(start), 0, size) : clamp(place(start), 0, size - 1);
  const e = step > 0 ? clamp(place(end), 0, size) : clamp(place(end), -1, size - 1);
  return { start: s, step, length: Math.max(0, Math.ceil((e - s) / step)) };
}

function sliceShape(ctx: InferContext, x: Shape): Shape | undefined {
  const [starts, ends] = [ctx.knownInts(1), ctx.knownInts(2)];
  const axes = ctx.inputs[3] ? ctx.knownInts(3) : starts?.map((_, i) => i);
  const steps = ctx.inputs[4] ? ctx.knownInts(4) : axes?.map(() => 1);
  if (!axes) return x.map(unknownDim);
  const out = [...x];
  axes.forEach((a, i) => {
    const axis = positive(a, x.length);
    const size = x[axis];
    if (size === undefined) throw ctx.error("axis out of range", { got: `${a}`, need: `rank ${x.length}` });
    if (starts && ends && steps && typeof size === "number") {
      if (steps[i] === 0) throw ctx.error("a step of 0 goes nowhere");
      out[axis] = cutOf(size, starts[i]!, ends[i]!, steps[i]!).length;
    } else if (starts && ends && steps && starts[i] === 0 && ends[i]! >= 2 ** 31 - 1 && steps[i] === 1) {
      out[axis] = size;
    } else out[axis] = unknownDim();
  });
  return out;
}

export const slice: Operator = {
  type: "Slice",
  since: 10,
  infer: (ctx) => {
    const x = ctx.shape(0);
    return [{ dtype: ctx.dtype(0), shape: x && sliceShape(ctx, x) }];
  },
  evaluate: ({ inputs, tensor }) => {
    const x = tensor(0);
    const at = (i: number) => inputs[i] && Array.from(inputs[i].numbers());
    const starts = at(1)!;
    const axes = (at(3) ?? starts.map((_, i) => i)).map((a) => positive(a, x.dims.length));
    const steps = at(4) ?? axes.map(() => 1);
    const dims = [...x.dims];
    const strides = stridesOf(x.dims);
    let offset = 0;
    axes.forEach((axis, i) => {
      const c = cutOf(x.dims[axis]!, starts[i]!, at(2)![i]!, steps[i]!);
      dims[axis] = c.length;
      offset += c.start * strides[axis]!;
      strides[axis]! *= c.step;
    });
    return [gather(x, dims, strides, offset)];
  },
  cost: free,
  partial: (ctx) => {
    const values = ctx.shape(0)?.length === 1 ? contents(ctx, 0) : undefined;
    const [start, end, step] = [
      ctx.knownInts(1)?.[0],
      ctx.knownInts(2)?.[0],
      ctx.inputs[4] ? ctx.knownInts(4)?.[0] : 1,
    ];
    if (!values || start === undefined || end === undefined || !step) return undefined;
    const c = cutOf(values.length, start, end, step);
    return Array.from({ length: c.length }, (_, i) => values[c.start + i * c.step]!);
  },
  // Steps are undone by spreading, starts and ends by padding.
  grad: (ctx) => [
    () => {
      const x = ctx.x(0);
      const known = (i: number) => ctx.inputs[i]?.constant && Array.from(ctx.inputs[i]!.constant!.numbers());
      const [starts, ends] = [known(1), known(2)];
      if (!starts || !ends) {
        throw new ScconvError("not-differentiable", "computed bounds", { where: nodeLabel(ctx.node) });
      }
      const axes = (known(3) ?? starts.map((_, i) => i)).map((a) => positive(a, x.rank));
      const steps = known(4) ?? axes.map(() => 1);
      let g = ctx.dy();
      axes.forEach((axis, i) => {
        const size = x.dims[axis]!;
        const c = cutOf(size, starts[i]!, ends[i]!, steps[i]!);
        g = uncut(g, axis, size, c);
      });
      return g;
    },
    ...ctx.node.inputs.slice(1).map(() => none("bounds are not differentiable")),
  ],
  upgrade: (node, from, make) => boundsToInputs(node, from, make),
};

/** Puts the elements of g back at start, start + step, … of an axis of `size`, zeros elsewhere. */
function uncut(g: Value, axis: number, size: number, c: Cut): Value {
  const b = g.builder;
  let v = g;
  let first = c.start;
  if (c.step < 0) {
    v = cut(v, { starts: [-1], ends: [-(2 ** 31)], axes: [axis], steps: [-1] });
    first = c.start + (c.length - 1) * c.step;
  }
  const step = Math.abs(c.step);
  const pad = (value: Value, at: number, begin: number, end: number): Value => {
    if (begin === 0 && end === 0) return value;
    const pads = new Array<number>(2 * value.rank).fill(0);
    pads[at] = begin;
    pads[at + value.rank] = end;
    return b.add("Pad", [value, b.ints(pads)], {});
  };
  let length = c.length;
  if (step > 1 && axis === v.rank - 1 && first + (c.length - 1) * step < size) {
    // Along the last axis single elements would be copied one by one; a product with ones and zeros puts them in place.
    const places = new Float64Array(c.length * size);
    for (let i = 0; i < c.length; i++) places[i * size + first + i * step] = 1;
    return b.add("MatMul", [v, b.constant(Tensor.from(v.dtype, [c.length, size], places), "places")], {});
  }
  if (step > 1) {
    // (…, n, …) → (…, n, 1, …) → pad to (…, n, step, …) → (…, n·step, …): each element at the head of its gap.
    const dims = v.dims;
    const apart = b.add("Unsqueeze", [v, b.ints([axis + 1])], {});
    const spread = pad(apart, axis + 1, 0, step - 1);
    v = b.add("Reshape", [spread, b.ints(dims.map((d, i) => (i === axis ? d * step : d)))], {});
    length = c.length * step;
  }
  const end = size - first - length;
  if (end < 0) {
    v = cut(v, { starts: [0], ends: [size - first], axes: [axis] });
    return pad(v, axis, first, 0);
  }
  return pad(v, axis, first, end);
}

/** Before 10 starts, ends and axes were attributes. */
function boundsToInputs(node: Node, _from: number, make: UpgradeContext): Node {
  const starts = intsAttr(node, "starts");
  const ends = intsAttr(node, "ends");
  if (!starts || !ends) return node;
  const attributes = new Map(node.attributes);
  for (const name of ["starts", "ends", "axes"]) attributes.delete(name);
  const axes = intsAttr(node, "axes") ?? starts.map((_, i) => i);
  return {
    ...node,
    inputs: [node.inputs[0]!, make.ints(starts), make.ints(ends), make.ints(axes)],
    attributes,
  };
}
