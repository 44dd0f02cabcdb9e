import { type Dim, divDim, formatShape, isStatic, productDim, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import { intAttr, intsAttr } from "../graph/ir.js";
import { free, type InferContext, none, type Operator } from "../graph/operator.js";
import { axesToAttribute, axesToInput, without } from "./axis.js";
import { sameContents } from "./contents.js";
import { reshape, reshapeLike, shapeVector, transpose as transposed } from "./emit.js";

/** Operators that keep the elements and change how they are arranged or typed. */

const indices = none("shapes and axes are not differentiable");

/** −1 is what is left; 0 copies the input's size (unless `allowzero`). */
function reshapedTo(ctx: InferContext, x: Shape, target: Shape): Shape {
  const keepZero = intAttr(ctx.node, "allowzero", 0) === 1;
  const out = target.map((d, i): Dim => (d === 0 && !keepZero ? (x[i] ?? 1) : d));
  const hole = out.indexOf(-1);
  if (hole < 0) return out;
  const rest = out.filter((_, i) => i !== hole);
  // Symbols on both sides cancel.
  const left = [...x];
  const right: Dim[] = [];
  for (const d of rest) {
    const at = typeof d === "string" ? left.indexOf(d) : -1;
    if (at >= 0) left.splice(at, 1);
    else right.push(d);
  }
  const divisor = productDim(right);
  const total = productDim(left);
  if (typeof divisor === "number") {
    if (typeof total === "number" && (divisor === 0 ? total !== 0 : total % divisor !== 0)) {
      throw ctx.error("cannot be reshaped", { got: formatShape(x), need: formatShape(target) });
    }
    out[hole] = divisor === 0 ? 0 : divDim(total, divisor);
  } else out[hole] = divisor === total ? 1 : unknownDim();
  return out;
}

export const reshapeOperator: Operator = {
  type: "Reshape",
  since: 5,
  infer: (ctx) => {
    const dtype = ctx.dtype(0);
    const x = ctx.shape(0);
    const target = ctx.ints(1);
    if (!target) {
      const rank = ctx.shape(1)?.[0];
      return [{ dtype, shape: ctx.openShape(rank) }];
    }
    if (!x) {
      return [{ dtype, shape: target.every((d) => typeof d !== "number" || d > 0) ? target : undefined }];
    }
    const shape = reshapedTo(ctx, x, target);
    if (isStatic(x) && isStatic(shape) && sizeOf(x) !== sizeOf(shape)) {
      throw ctx.error("cannot be reshaped", { got: formatShape(x), need: formatShape(target) });
    }
    return [{ dtype, shape }];
  },
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const target = Array.from(tensor(1).numbers());
    const keepZero = intAttr(node, "allowzero", 0) === 1;
    const dims = target.map((d, i) => (d === 0 && !keepZero ? x.dims[i]! : d));
    const hole = dims.indexOf(-1);
    if (hole >= 0) dims[hole] = x.size / sizeOf(dims.filter((_, i) => i !== hole));
    return [x.reshape(dims)];
  },
  cost: free,
  partial: sameContents,
  grad: ({ x, dy }) => [() => reshapeLike(dy(), x(0)), indices],
  // `allowzero` came with 14.
  downgrade: (node, to, make) => {
    if (to >= 14) return node;
    const target = make.known(node.inputs[1]!);
    const copies = !target || Array.from(target.numbers()).includes(0);
    if (intAttr(node, "allowzero", 0) === 1 && copies) throw make.cannot("set 14 (allowzero)");
    return { ...node, attributes: without(node, "allowzero") };
  },
};

export const flatten: Operator = {
  type: "Flatten",
  since: 1,
  infer: (ctx) => {
    const x = ctx.shape(0);
    if (!x) return [{ dtype: ctx.dtype(0), shape: [unknownDim(), unknownDim()] }];
    const axis = intAttr(ctx.node, "axis", 1);
    const at = axis < 0 ? axis + x.length : axis;
    return [{ dtype: ctx.dtype(0), shape: [productDim(x.slice(0, at)), productDim(x.slice(at))] }];
  },
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const axis = intAttr(node, "axis", 1);
    const at = axis < 0 ? axis + x.dims.length : axis;
    return [x.reshape([sizeOf(x.dims.slice(0, at)), sizeOf(x.dims.slice(at))])];
  },
  cost: free,
  grad: ({ x, dy }) => [() => reshape(dy(), shapeVector(x(0)))],
};

export const transpose: Operator = {
  type: "Transpose",
  since: 1,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const perm = intsAttr(ctx.node, "perm") ?? x?.map((_, i) => x.length - 1 - i);
    if (
      x &&
      perm &&
      (perm.length !== x.length || new Set(perm).size !== x.length || perm.some((p) => x[p] === undefined))
    ) {
      throw ctx.error("perm is not a permutation of the axes", {
        got: perm.join(),
        need: `${x.length} axes`,
      });
    }
    return [{ dtype: ctx.dtype(0), shape: x && perm?.map((p) => x[p]!) }];
  },
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const perm = intsAttr(node, "perm") ?? x.dims.map((_, i) => x.dims.length - 1 - i);
    const dims = perm.map((p) => x.dims[p]!);
    const from = stridesOf(x.dims);
    return [
      gather(
        x,
        dims,
        perm.map((p) => from[p]!),
      ),
    ];
  },
  cost: free,
  grad: ({ node, x, dy }) => [
    () => {
      const perm = intsAttr(node, "perm") ?? x(0).shape.map((_, i) => x(0).rank - 1 - i);
      const inverse = new Array<number>(perm.length);
      for (const [i, p] of perm.entries()) inverse[p] = i;
      return transposed(dy(), inverse);
    },
  ],
};

/** A tensor of `dims` whose element at index i is x[offset + Σ iₖ·strideₖ]. */
export function gather(x: Tensor, dims: readonly number[], strides: readonly number[], offset = 0): Tensor {
  const out = new (x.data.constructor as Float64ArrayConstructor)(sizeOf(dims));
  const data = x.data as Float64Array;
  const index = new Array<number>(dims.length).fill(0);
  for (let i = 0, at = offset; i < out.length; i++) {
    out[i] = data[at]!;
    for (let a = dims.length - 1; a >= 0; a--) {
      at += strides[a]!;
      if (++index[a]! < dims[a]!) break;
      at -= strides[a]! * dims[a]!;
      index[a] = 0;
    }
  }
  return Tensor.of(x.dtype, dims, out);
}

const squeezed = (dims: Shape, axes: readonly number[] | undefined): Shape =>
  axes === undefined
    ? dims.filter((d) => d !== 1)
    : dims.filter((_, i) => !axes.some((a) => (a < 0 ? a + dims.length : a) === i));

export const squeeze: Operator = {
  type: "Squeeze",
  since: 13,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const axes = ctx.inputs[1] ? ctx.knownInts(1) : undefined;
    // Without axes, which are left depends on the sizes; one with a name is taken to be more than 1.
    const open = !ctx.inputs[1] && x?.some((d) => typeof d === "string" && d.startsWith("?"));
    if (!x || open || (ctx.inputs[1] && !axes)) return [{ dtype: ctx.dtype(0), shape: undefined }];
    for (const a of axes ?? []) {
      const d = x[a < 0 ? a + x.length : a];
      if (d === undefined || (typeof d === "number" && d !== 1)) {
        throw ctx.error(`axis ${a} cannot be squeezed`, { got: formatShape(x), need: "a size of 1" });
      }
    }
    return [{ dtype: ctx.dtype(0), shape: squeezed(x, axes) }];
  },
  evaluate: ({ inputs, tensor }) => {
    const x = tensor(0);
    return [x.reshape(squeezed(x.dims, inputs[1] && Array.from(inputs[1].numbers())) as number[])];
  },
  cost: free,
  partial: sameContents,
  grad: ({ x, dy }) => [() => reshapeLike(dy(), x(0)), indices],
  upgrade: axesToInput,
  downgrade: axesToAttribute(13),
};

function unsqueezed(dims: Shape, axes: readonly number[]): Shape {
  const rank = dims.length + axes.length;
  const at = new Set(axes.map((a) => (a < 0 ? a + rank : a)));
  const rest = [...dims];
  return Array.from({ length: rank }, (_, i) => (at.has(i) ? 1 : rest.shift()!));
}

export const unsqueeze: Operator = {
  type: "Unsqueeze",
  since: 13,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const axes = ctx.knownInts(1);
    return [{ dtype: ctx.dtype(0), shape: x && axes && unsqueezed(x, axes) }];
  },
  evaluate: ({ tensor }) => {
    const x = tensor(0);
    return [x.reshape(unsqueezed(x.dims, Array.from(tensor(1).numbers())) as number[])];
  },
  cost: free,
  partial: sameContents,
  grad: ({ x, dy }) => [() => reshapeLike(dy(), x(0)), indices],
  upgrade: axesToInput,
  downgrade: axesToAttribute(13),
};
