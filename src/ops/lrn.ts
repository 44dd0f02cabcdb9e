import { Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intAttr, type Node } from "../graph/ir.js";
import { free, type Operator } from "../graph/operator.js";
import { add, conv, div, mul, pow, reshape, reshapeLike, sub } from "./emit.js";

const settings = (node: Node) => {
  const size = intAttr(node, "size", 1);
  return {
    size,
    before: Math.floor((size - 1) / 2),
    after: Math.ceil((size - 1) / 2),
    alpha: floatAttr(node, "alpha", 1e-4) / size,
    beta: floatAttr(node, "beta", 0.75),
    bias: floatAttr(node, "bias", 1),
  };
};

/** y = x·D^−β with D = bias + (α/size)·Σ x² over the neighbouring channels. */
export const lrn: Operator = {
  type: "LRN",
  since: 1,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const s = settings(node);
    const [c, xs] = [x.dims[1]!, x.numbers()];
    const plane = x.size / (x.dims[0]! * c);
    const y = Float64Array.from({ length: x.size }, (_, i) => {
      const channel = Math.floor(i / plane) % c;
      let sum = 0;
      for (let k = Math.max(0, channel - s.before); k <= Math.min(c - 1, channel + s.after); k++) {
        sum += xs[i + (k - channel) * plane]! ** 2;
      }
      return xs[i]! * (s.bias + s.alpha * sum) ** -s.beta;
    });
    return [Tensor.from(x.dtype, x.dims, y)];
  },
  cost: free,
  // dx = dy·D^−β − 2αβ/size·x·Σ dy·x·D^(−β−1), the sum over the channels that have x among their neighbours
  grad: ({ node, x, dy }) => [
    () => {
      const s = settings(node);
      const v = x(0);
      const d = add(mul(overChannels(mul(v, v), s.size, s.before, s.after), s.alpha), s.bias);
      const share = mul(dy(), pow(d, -s.beta));
      const back = overChannels(div(mul(share, v), d), s.size, s.after, s.before);
      return sub(share, mul(mul(v, back), 2 * s.alpha * s.beta));
    },
  ],
};

/** Sums over a window of channels: a convolution with ones along them. */
function overChannels(v: Value, size: number, before: number, after: number): Value {
  const ones = Tensor.from(v.dtype, [1, 1, size, 1], new Float64Array(size).fill(1));
  const planes = reshape(v, [0, 1, v.shape[1] as number, -1]);
  return reshapeLike(
    conv(planes, v.builder.constant(ones, "ones"), undefined, { pads: [before, 0, after, 0] }),
    v,
  );
}
