import { type Dim, formatShape, unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { intAttr, type Node } from "../graph/ir.js";
import { free, none, type Operator, type UpgradeContext } from "../graph/operator.js";
import { axisOf } from "./axis.js";
import { expand, shapeVector } from "./emit.js";

/** The k largest (or smallest) along an axis, and where they are. */
export const topK: Operator = {
  type: "TopK",
  since: 11,
  infer: (ctx) => {
    const x = ctx.shape(0);
    const axis = x && axisOf(ctx.node, x.length, -1);
    const k: Dim = ctx.ints(1)?.[0] ?? unknownDim();
    const size = x?.[axis!];
    if (typeof k === "number" && typeof size === "number" && (k < 0 || k > size)) {
      throw ctx.error("asks for more than there are", {
        got: `${k} of ${formatShape(x)} along axis ${axis}`,
      });
    }
    const shape = x?.map((d, i) => (i === axis ? k : d));
    return [
      { dtype: ctx.dtype(0), shape },
      { dtype: "int64", shape },
    ];
  },
  evaluate: ({ node, tensor, outputs }) => {
    const x = tensor(0);
    const axis = axisOf(node, x.dims.length, -1);
    const k = Number(tensor(1).numbers()[0]);
    const [n, inner] = [x.dims[axis]!, sizeOf(x.dims.slice(axis + 1))];
    const dims = x.dims.map((d, i) => (i === axis ? k : d));
    const places = new Float64Array(sizeOf(dims));
    const values = Tensor.zeros(x.dtype, dims);
    const [from, to] = [x.data as Float64Array, values.data as Float64Array];
    const xs = x.numbers();
    const sign = intAttr(node, "largest", 1) === 1 ? -1 : 1;
    for (let line = 0; line < x.size / Math.max(1, n); line++) {
      const first = Math.floor(line / inner) * n * inner + (line % inner);
      const order = Array.from({ length: n }, (_, i) => i);
      // Equal ones by their place, as the engine has them.
      order.sort((a, b) => sign * (xs[first + a * inner]! - xs[first + b * inner]!) || a - b);
      for (let j = 0; j < k; j++) {
        const at = (Math.floor(line / inner) * k + j) * inner + (line % inner);
        places[at] = order[j]!;
        to[at] = from[first + order[j]! * inner]!;
      }
    }
    return [values, Tensor.from("int64", dims, places)].slice(0, outputs);
  },
  cost: free,
  // What was chosen gets its dy.
  grad: (ctx) => [
    () => {
      const nothing = expand(ctx.b.scalar(0, ctx.x(0).dtype), shapeVector(ctx.x(0)));
      const axis = intAttr(ctx.node, "axis", -1);
      return ctx.b.add("ScatterElements", [nothing, ctx.y(1), ctx.dy()], { axis, reduction: "add" });
    },
    none("a count is not differentiable"),
  ],
  // Before 10 the count was an attribute.
  upgrade: (node, from, make) => (from < 10 ? countToInput(node, make) : node),
};

function countToInput(node: Node, make: UpgradeContext): Node {
  const attributes = new Map(node.attributes);
  attributes.delete("k");
  return { ...node, inputs: [node.inputs[0]!, make.ints([intAttr(node, "k", 1)])], attributes };
}
