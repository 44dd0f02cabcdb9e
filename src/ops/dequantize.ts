import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { intAttr, nodeLabel } from "../graph/ir.js";
import { free, none, type Operator } from "../graph/operator.js";
import { axisOf, without } from "./axis.js";
import { cast, mul, reshape, sub } from "./emit.js";

/** y = (x − zero point)·scale, with one scale or one for each position along `axis`. */
export const dequantizeLinear: Operator = {
  type: "DequantizeLinear",
  since: 10,
  infer: (ctx) => [{ dtype: ctx.dtype(1), shape: ctx.shape(0) }],
  evaluate: ({ node, inputs, tensor }) => {
    const [x, scale, zero] = [tensor(0), tensor(1), inputs[2]];
    if (scale.dims.length > 1) {
      throw new ScconvError("unsupported", "blockwise scales", { where: nodeLabel(node) });
    }
    const axis = intAttr(node, "axis", 1);
    const at = axis < 0 ? axis + x.dims.length : axis;
    const inner = sizeOf(x.dims.slice(at + 1));
    const [xs, scales, zeros] = [x.numbers(), scale.numbers(), zero?.numbers()];
    const y = Float64Array.from({ length: x.size }, (_, i) => {
      const k = scale.size === 1 ? 0 : Math.floor(i / inner) % scale.size;
      return (xs[i]! - (zeros?.[k] ?? 0)) * scales[k]!;
    });
    return [Tensor.from(scale.dtype, x.dims, y)];
  },
  cost: free,
  settings: [1],
  grad: none("quantised values are not trained"),
  // Scales along an axis came with 13.
  older: ({ inputs, node, x }, to) => {
    const [scale, zero] = [x(1), inputs[2]];
    if (to >= 13 || scale.rank === 0 || scale.dims[0] === 1) return undefined;
    const axis = axisOf(node, x(0).rank, 1);
    const along = (v: Value) =>
      reshape(
        v,
        x(0).shape.map((_, i) => (i === axis ? -1 : 1)),
      );
    const number = (v: Value) => cast(v, scale.dtype);
    const centred = zero ? sub(number(x(0)), along(number(zero))) : number(x(0));
    return [mul(centred, along(scale))];
  },
  downgrade: (node, to) => (to < 13 ? { ...node, attributes: without(node, "axis") } : node),
};
