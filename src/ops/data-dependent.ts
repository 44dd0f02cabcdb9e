import { productDim, unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { intAttr } from "../graph/ir.js";
import { free, none, type Operator, zero } from "../graph/operator.js";
import { positive } from "./axis.js";
import { forEachIndex } from "./counting.js";
import { expand, reshape, reshapeLike, shapeVector, transpose } from "./emit.js";

/** Operators whose output has as many elements as the values say. */

/** (rank, n): the coordinates of what is not zero. */
export const nonZero: Operator = {
  type: "NonZero",
  since: 9,
  infer: (ctx) => {
    const x = ctx.shape(0);
    return [{ dtype: "int64", shape: [x ? x.length : unknownDim(), unknownDim()] }];
  },
  evaluate: ({ tensor }) => {
    const x = tensor(0);
    const xs = x.numbers();
    const found: number[][] = x.dims.map(() => []);
    forEachIndex(x.dims, (at, i) => {
      if (xs[i] !== 0) for (const [a, v] of at.entries()) found[a]!.push(v);
    });
    return [Tensor.from("int64", [x.dims.length, found[0]?.length ?? 0], found.flat())];
  },
  cost: free,
  grad: zero("coordinates are flat wherever they have a derivative"),
};

/** The slices of x along `axis` for which the condition holds; without an axis the elements of x in a row. */
export const compress: Operator = {
  type: "Compress",
  since: 9,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const axis = ctx.node.attributes.get("axis");
    const condition = ctx.constants[1] && ctx.knownInts(1);
    const size = x && (axis?.kind === "int" ? x[positive(axis.value, x.length)] : productDim(x));
    const n =
      condition && typeof size === "number" ? condition.slice(0, size).filter(Boolean).length : unknownDim();
    if (axis?.kind !== "int") return [{ dtype: ctx.dtype(0), shape: [n] }];
    return [{ dtype: ctx.dtype(0), shape: x?.map((d, i) => (i === positive(axis.value, x.length) ? n : d)) }];
  },
  evaluate: ({ node, tensor }) => {
    const flat = !node.attributes.has("axis");
    const x = flat ? tensor(0).reshape([tensor(0).size]) : tensor(0);
    const axis = flat ? 0 : positive(intAttr(node, "axis", 0), x.dims.length);
    const [n, inner] = [x.dims[axis]!, sizeOf(x.dims.slice(axis + 1))];
    const kept = Array.from(tensor(1).numbers())
      .slice(0, n)
      .flatMap((c, i) => (c ? [i] : []));
    const out = Tensor.zeros(
      x.dtype,
      x.dims.map((d, i) => (i === axis ? kept.length : d)),
    );
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    for (let o = 0, put = 0; o < sizeOf(x.dims.slice(0, axis)); o++) {
      for (const i of kept) {
        const first = (o * n + i) * inner;
        to.set(from.subarray(first, first + inner), put);
        put += inner;
      }
    }
    return [out];
  },
  cost: free,
  // dy goes back to the slices that were kept; the axis is brought to the front for that.
  grad: ({ b, node, x, dy }) => [
    () => {
      const v = x(0);
      const kept = b.add("Transpose", [b.add("NonZero", [x(1)])]);
      const put = (into: typeof v, g: typeof v) => b.add("ScatterND", [into, kept, g]);
      const nothing = expand(b.scalar(0, v.dtype), shapeVector(v));
      if (!node.attributes.has("axis")) return reshapeLike(put(reshape(nothing, [-1]), dy()), v);
      const axis = positive(intAttr(node, "axis", 0), v.rank);
      const order = [axis, ...v.shape.map((_, i) => i).filter((i) => i !== axis)];
      const back = order.map((_, i) => order.indexOf(i));
      return transpose(put(transpose(nothing, order), transpose(dy(), order)), back);
    },
    none("a condition has no derivative"),
  ],
};
