import { unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Node } from "../graph/ir.js";
import { tensorAttr } from "../graph/ir.js";
import { free, type Operator, zero } from "../graph/operator.js";
import { contents } from "./contents.js";
import { cast, mul, reduceSum, shapeVector, squeeze } from "./emit.js";

/** The tensor that a Constant node holds; undefined for text and sparse tensors. */
export function constantTensor(node: Node): Tensor | undefined {
  const held = (name: string) => node.attributes.get(name);
  const [f, fs, i, is] = ["value_float", "value_floats", "value_int", "value_ints"].map(held);
  if (f?.kind === "float") return Tensor.scalar("float32", f.value);
  if (i?.kind === "int") return Tensor.scalar("int64", i.value);
  if (fs?.kind === "floats") return Tensor.from("float32", [fs.value.length], fs.value);
  if (is?.kind === "ints") return Tensor.from("int64", [is.value.length], is.value);
  return tensorAttr(node, "value");
}

export const constant: Operator = {
  type: "Constant",
  since: 1,
  infer: ({ node }) => {
    const t = constantTensor(node);
    return [t && { dtype: t.dtype, shape: t.dims }];
  },
  evaluate: ({ node }) => {
    const t = constantTensor(node);
    return t ? [t] : [];
  },
  partial: ({ node }) => {
    const t = constantTensor(node);
    return t && t.size <= 64 && (t.dtype === "int64" || t.dtype === "int32")
      ? Array.from(t.numbers())
      : undefined;
  },
  cost: free,
  grad: zero("a constant depends on nothing"),
  // Numbers and lists in short came with 12.
  downgrade: (node, to, make) => {
    if (to >= 12) return node;
    const value = constantTensor(node);
    if (!value) throw make.cannot("a tensor");
    return { ...node, attributes: new Map([["value", { kind: "tensor", value }]]) };
  },
};

const filling = (node: Node): Tensor => tensorAttr(node, "value") ?? Tensor.scalar("float32", 0);

export const constantOfShape: Operator = {
  type: "ConstantOfShape",
  since: 9,
  infer: (ctx) => {
    const { dtype } = filling(ctx.node);
    const rank = ctx.shape(0)?.[0];
    return [{ dtype, shape: ctx.ints(0) ?? ctx.openShape(rank) }];
  },
  evaluate: ({ node, tensor }) => {
    const dims = Array.from(tensor(0).numbers());
    const value = filling(node);
    const data = Tensor.zeros(value.dtype, dims).data as Float64Array;
    return [Tensor.of(value.dtype, dims, data.fill((value.data as Float64Array)[0]!))];
  },
  partial: (ctx) => {
    const dims = ctx.knownInts(0);
    return dims && dims.length <= 1 && sizeOf(dims) <= 64
      ? new Array<number>(sizeOf(dims)).fill(filling(ctx.node).numbers()[0]!)
      : undefined;
  },
  cost: free,
  grad: zero("its input is a shape"),
};

export const range: Operator = {
  type: "Range",
  since: 11,
  infer: (ctx) => {
    const ends = [0, 1, 2].map((i) => ctx.constants[i]?.numbers()[0] ?? contents(ctx, i)?.[0]);
    const n = ends.every((v) => typeof v === "number") ? countOf(ends as number[]) : unknownDim();
    return [{ dtype: ctx.dtype(0), shape: [n] }];
  },
  evaluate: ({ tensor }) => {
    const [start, limit, delta] = [0, 1, 2].map((i) => tensor(i).numbers()[0]!) as [number, number, number];
    const n = countOf([start, limit, delta]);
    return [
      Tensor.from(
        tensor(0).dtype,
        [n],
        Array.from({ length: n }, (_, i) => start + i * delta),
      ),
    ];
  },
  cost: free,
  // y_k = start + k·delta; the limit only says how many there are.
  grad: ({ b, dy }) => [
    () => reduceSum(dy(), [0], false),
    zero("the limit only says where to stop"),
    () => {
      const n = squeeze(shapeVector(dy()), [0]);
      const steps = b.add("Range", [b.scalar(0, "int64"), n, b.scalar(1, "int64")]);
      return reduceSum(mul(dy(), cast(steps, dy().dtype)), [0], false);
    },
  ],
};

const countOf = ([start, limit, delta]: readonly number[]): number =>
  Math.max(0, Math.ceil((limit! - start!) / delta!));
