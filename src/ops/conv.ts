import { formatShape, mulDim, productDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { intAttr, intsAttr } from "../graph/ir.js";
import type { InferContext, Operator } from "../graph/operator.js";
import { inputGradient } from "./conv-gradient.js";
import { weightGradient } from "./conv-weight-gradient.js";
import { reduceSum, squeeze } from "./emit.js";
import { forEachTap, kernelOf, windowOf } from "./window.js";

/** x (N, C, …), w (M, C/group, k…), bias (M) → (N, M, …). */
function infer(ctx: InferContext) {
  const x = ctx.shape(0);
  const w = ctx.shape(1);
  if (!x || !w) return [{ dtype: ctx.dtype(0), shape: undefined }];
  if (x.length !== w.length || x.length < 3) {
    throw ctx.error("input and weight ranks do not fit", { got: `${formatShape(x)} and ${formatShape(w)}` });
  }
  const group = intAttr(ctx.node, "group", 1);
  if (group < 1) throw ctx.error("its group cannot be", { got: `${group}`, need: "1 or more" });
  const [channels, perGroup, outputs] = [x[1]!, w[1]!, w[0]!];
  if (typeof channels === "number" && typeof perGroup === "number" && channels !== perGroup * group) {
    throw ctx.error(`weight expects ${perGroup} input channels per group`, {
      got: `${channels / group} (input ${formatShape(x)}, group ${group})`,
    });
  }
  if (typeof outputs === "number" && outputs % group !== 0) {
    throw ctx.error("the number of output channels is not a multiple of group", {
      got: `${outputs} outputs, group ${group}`,
    });
  }
  const declared = intsAttr(ctx.node, "kernel_shape");
  const kernel = kernelOf(ctx.node, w);
  if (declared?.some((k, i) => k !== kernel[i])) {
    throw ctx.error("kernel_shape contradicts the weight", {
      got: declared.join("×"),
      need: kernel.join("×"),
    });
  }
  const bias = ctx.inputs[2]?.shape;
  if (bias && (bias.length !== 1 || (typeof bias[0] === "number" && bias[0] !== outputs))) {
    throw ctx.error("the bias does not fit the weight", { got: formatShape(bias), need: `${outputs}` });
  }
  const { out } = windowOf(ctx.node, x, kernel);
  if (out.some((d) => typeof d === "number" && d <= 0)) {
    throw ctx.error("the window is larger than the padded input", {
      got: formatShape(x),
      need: `at least ${kernel.join("×")}`,
    });
  }
  return [{ dtype: ctx.dtype(0), shape: [x[0]!, outputs, ...out] }];
}

/** y[n, m, o] = b[m] + Σ_{c, t} w[m, c, t] · x[n, g(m)·C/G + c, o·s + t·d − p]. */
export const conv: Operator = {
  type: "Conv",
  since: 1,
  infer,
  evaluate: ({ node, inputs, tensor }) => {
    const [x, w, bias] = [tensor(0), tensor(1), inputs[2]];
    const group = intAttr(node, "group", 1);
    const window = windowOf(node, x.dims, kernelOf(node, w.dims));
    const [n, c] = x.dims as [number, number];
    const [m, cg] = w.dims as [number, number];
    const inSize = sizeOf(x.dims.slice(2));
    const outDims = window.out as number[];
    const outSize = sizeOf(outDims);
    const taps = sizeOf(window.kernel);
    const [xs, ws, bs] = [x.numbers(), w.numbers(), bias?.numbers()];
    const y = new Float64Array(n * m * outSize);
    if (bs) for (let i = 0; i < y.length; i++) y[i] = bs[Math.floor(i / outSize) % m]!;
    forEachTap(window, x.dims.slice(2), (o, t, at) => {
      for (let j = 0; j < m; j++) {
        const first = Math.floor(j / (m / group)) * cg;
        for (let i = 0; i < n; i++) {
          let sum = 0;
          for (let k = 0; k < cg; k++)
            sum += ws[(j * cg + k) * taps + t]! * xs[(i * c + first + k) * inSize + at]!;
          y[(i * m + j) * outSize + o]! += sum;
        }
      }
    });
    return [Tensor.from(x.dtype, [n, m, ...outDims], y)];
  },
  // One MAC for each output element, input channel of its group and kernel tap; the bias is not counted (fvcore's rule).
  cost: (ctx, [out]) => ({
    macs: mulDim(productDim(out?.shape ?? ["?"]), productDim(ctx.shape(1)?.slice(1) ?? ["?"])),
  }),
  grad: (ctx) => [
    () => inputGradient(ctx),
    () => weightGradient(ctx),
    () => {
      const dy = ctx.dy();
      const axes = dy.shape.map((_, i) => i).filter((i) => i !== 1);
      return squeeze(reduceSum(dy, axes), axes);
    },
  ],
};
