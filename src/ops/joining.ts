import { addDim, type Dim, formatShape, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, intsAttr, type Node } from "../graph/ir.js";
import { free, none, type Operator } from "../graph/operator.js";
import { axisOf, without } from "./axis.js";
import { contents } from "./contents.js";
import { concat as join, split as parts, zerosLike } from "./emit.js";
import { gather } from "./reshaping.js";

/** Operators that join and split along an axis. */

export const concat: Operator = {
  type: "Concat",
  since: 4,
  infer: (ctx) => {
    const shapes = ctx.node.inputs.map((_, i) => ctx.shape(i));
    const first = shapes.find((s) => s);
    if (!first || shapes.some((s) => !s)) return [{ dtype: ctx.dtype(0), shape: first?.map(unknownDim) }];
    const axis = axisOf(ctx.node, first.length, 0);
    for (const s of shapes as Shape[]) {
      const clash =
        s.length !== first.length ||
        s.some(
          (d, i) => i !== axis && typeof d === "number" && typeof first[i] === "number" && d !== first[i],
        );
      if (clash) {
        throw ctx.error(`inputs differ outside axis ${axis}`, {
          got: shapes.map((v) => formatShape(v)).join(", "),
        });
      }
    }
    const joined = (shapes as Shape[]).reduce<Dim>((sum, s) => addDim(sum, s[axis]!), 0);
    const known = first.map(
      (d, i) => (shapes as Shape[]).map((s) => s[i]!).find((v) => typeof v === "number") ?? d,
    );
    return [{ dtype: ctx.dtype(0), shape: known.map((d, i) => (i === axis ? joined : d)) }];
  },
  evaluate: ({ node, inputs }) => {
    const tensors = inputs as readonly Tensor[];
    const dims = [...tensors[0]!.dims];
    const axis = axisOf(node, dims.length, 0);
    dims[axis] = tensors.reduce((sum, t) => sum + t.dims[axis]!, 0);
    const out = Tensor.zeros(tensors[0]!.dtype, dims);
    const inner = sizeOf(dims.slice(axis + 1));
    const outer = sizeOf(dims.slice(0, axis));
    let at = 0;
    for (const t of tensors) {
      const run = t.dims[axis]! * inner;
      for (let o = 0; o < outer; o++) {
        (out.data as Float64Array).set(
          (t.data as Float64Array).subarray(o * run, (o + 1) * run),
          o * dims[axis]! * inner + at,
        );
      }
      at += run;
    }
    return [out];
  },
  cost: free,
  partial: (ctx) => {
    const parts = ctx.node.inputs.map((_, i) => (ctx.shape(i)?.length === 1 ? contents(ctx, i) : undefined));
    return parts.every((p) => p) ? (parts as Shape[]).flat() : undefined;
  },
  grad: (ctx) => {
    const axis = axisOf(ctx.node, ctx.y().rank, 0);
    const sizes = () => ctx.node.inputs.map((_, i) => ctx.x(i).dims[axis]!);
    // One Split serves all inputs; each takes its part.
    let made: Value[] | undefined;
    const all = () => {
      made ??= parts(ctx.dy(), sizes(), axis);
      return made;
    };
    return ctx.node.inputs.map((_, i) => () => all()[i]!);
  },
};

function splitSizes(
  ctx: { node: Node; outputs: number },
  total: number,
  given: readonly number[] | undefined,
): number[] {
  if (given) return [...given];
  const n = intAttr(ctx.node, "num_outputs", ctx.outputs);
  const each = Math.ceil(total / n);
  return Array.from({ length: n }, (_, i) => Math.min(each, total - i * each));
}

export const split: Operator = {
  type: "Split",
  since: 13,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const dtype = ctx.dtype(0);
    const outputs = ctx.node.outputs.length;
    if (!x) return ctx.node.outputs.map(() => ({ dtype, shape: undefined }));
    const axis = axisOf(ctx.node, x.length, 0);
    const total = x[axis]!;
    const given = ctx.inputs[1] ? ctx.knownInts(1) : undefined;
    if ((ctx.inputs[1] && !given) || (!given && typeof total !== "number")) {
      return ctx.node.outputs.map(() => ({ dtype, shape: x.map((d, i) => (i === axis ? unknownDim() : d)) }));
    }
    const sizes = splitSizes({ node: ctx.node, outputs }, total as number, given);
    if (typeof total === "number" && sizes.reduce((a, b) => a + b, 0) !== total) {
      throw ctx.error(`parts do not add up along axis ${axis}`, { got: sizes.join(" + "), need: `${total}` });
    }
    return sizes.map((s) => ({ dtype, shape: x.map((d, i) => (i === axis ? s : d)) }));
  },
  evaluate: ({ node, inputs, tensor, outputs }) => {
    const x = tensor(0);
    const axis = axisOf(node, x.dims.length, 0);
    const given = inputs[1] && Array.from(inputs[1].numbers());
    const strides = stridesOf(x.dims);
    let at = 0;
    return splitSizes({ node, outputs }, x.dims[axis]!, given).map((s) => {
      const part = gather(
        x,
        x.dims.map((d, i) => (i === axis ? s : d)),
        strides,
        at * strides[axis]!,
      );
      at += s;
      return part;
    });
  },
  cost: free,
  grad: (ctx) => [
    () =>
      join(
        ctx.outputs.map((y, i) => ctx.upstream[i] ?? zerosLike(y)),
        intAttr(ctx.node, "axis", 0),
      ),
    none("sizes are not differentiable"),
  ],
  // Before 13 the sizes were an attribute; before 18 equal parts were as many as there were outputs.
  upgrade: (node, _from, make) => {
    const sizes = intsAttr(node, "split");
    const attributes = new Map(node.attributes);
    if (!sizes) {
      if (node.inputs[1]) return node;
      attributes.set("num_outputs", { kind: "int", value: node.outputs.length });
      return { ...node, attributes };
    }
    attributes.delete("split");
    return { ...node, inputs: [node.inputs[0]!, make.ints(sizes)], attributes };
  },
  downgrade: (node, to, make) => {
    if (to >= 18) return node;
    const shape = make.type(node.inputs[0]!)?.shape;
    const total = shape?.[axisOf(node, shape.length, 0)];
    const given = node.inputs[1] ? make.known(node.inputs[1]) : undefined;
    let sizes = given && Array.from(given.numbers());
    if (node.attributes.has("num_outputs")) {
      // Equal parts go without sizes; the last one may be smaller since 18 only.
      const outputs = node.outputs.length;
      if (typeof total !== "number") throw make.cannot("set 18, or a size that is known");
      if (total % outputs !== 0) sizes = splitSizes({ node, outputs }, total, undefined);
    }
    const attributes = without(node, "num_outputs");
    const [x, computed] = node.inputs as [string, string | undefined];
    if (to >= 13) {
      const input = sizes ? (given ? computed! : make.ints(sizes)) : computed;
      return { ...node, inputs: input ? [x, input] : [x], attributes };
    }
    if (computed && !given) throw make.cannot("set 13, or constant sizes");
    if (sizes) attributes.set("split", { kind: "ints", value: sizes });
    return { ...node, inputs: [x], attributes };
  },
};
