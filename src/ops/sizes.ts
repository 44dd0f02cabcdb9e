import { productDim, unknownDim } from "../base/dims.js";
import { dtypeOfCode, dtypes } from "../base/dtype.js";
import { Tensor } from "../base/tensor.js";
import { intAttr, type Node } from "../graph/ir.js";
import { free, type Operator, zero } from "../graph/operator.js";
import { without } from "./axis.js";
import { sameContents } from "./contents.js";
import { cast as castTo, slice } from "./emit.js";

/** Operators that tell a size, and Cast, which sizes go through on their way. */

export const castOperator: Operator = {
  type: "Cast",
  since: 6,
  infer: (ctx) => {
    const dtype = dtypeOfCode(intAttr(ctx.node, "to", 0));
    return [dtype && { dtype, shape: ctx.shape(0) }];
  },
  evaluate: ({ node, tensor }) => {
    return [tensor(0).cast(dtypeOfCode(intAttr(node, "to", 0))!)];
  },
  cost: free,
  partial: (ctx) => (intAttr(ctx.node, "to", 0) === dtypes.bool.code ? undefined : sameContents(ctx)),
  grad: ({ x, dy }) => [() => castTo(dy(), x(0).dtype)],
  // Saturation is for float8, which we do not hold.
  downgrade: (node, to) =>
    to < 19 ? { ...node, attributes: without(node, "saturate", "round_mode") } : node,
};

export const shape: Operator = {
  type: "Shape",
  since: 1,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const n = x?.slice(...bounds(ctx.node, x.length)).length;
    return [{ dtype: "int64", shape: [n ?? unknownDim()] }];
  },
  evaluate: ({ node, tensor }) => {
    const dims = tensor(0).dims.slice(...bounds(node, tensor(0).dims.length));
    return [Tensor.from("int64", [dims.length], dims)];
  },
  cost: free,
  partial: (ctx) => {
    const x = ctx.shape(0);
    return x?.slice(...bounds(ctx.node, x.length));
  },
  grad: zero("a shape does not depend on the elements"),
  // A part of the shape can be asked for since 15.
  older: ({ b, node, x }, to) => {
    const [start, end] = ["start", "end"].map((name) => node.attributes.get(name));
    if (to >= 15 || (!start && !end)) return undefined;
    const ends = [intAttr(node, "end", 2 ** 31 - 1)];
    return [slice(b.add("Shape", [x(0)]), { starts: [intAttr(node, "start", 0)], ends, axes: [0] })];
  },
};

function bounds(node: Node, rank: number): [number, number] {
  const clamp = (v: number) => Math.min(rank, Math.max(0, v < 0 ? v + rank : v));
  return [clamp(intAttr(node, "start", 0)), clamp(intAttr(node, "end", rank))];
}

export const size: Operator = {
  type: "Size",
  since: 1,
  infer: () => [{ dtype: "int64", shape: [] }],
  evaluate: ({ tensor }) => [Tensor.scalar("int64", tensor(0).size)],
  cost: free,
  partial: (ctx) => {
    const x = ctx.shape(0);
    return x && [productDim(x)];
  },
  grad: zero("a size does not depend on the elements"),
};
