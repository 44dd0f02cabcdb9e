import { addDim, type Dim, formatShape, mulDim, productDim, type Shape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { attributesFrom, intAttr, intsAttr, type Node, nodeLabel, stringAttr } from "../graph/ir.js";
import type { GradContext, InferContext, Operator } from "../graph/operator.js";
import { weightGradient } from "./conv-weight-gradient.js";
import { conv, reduceSum, slice, squeeze } from "./emit.js";
import { forEachTap, kernelOf, type Window } from "./window.js";

/** The window of the convolution that leads from y back to x, and the size of y. */
interface Spread {
  readonly window: Window;
  readonly size: readonly Dim[];
}

/** size = s·(n − 1) + output_padding + d(k − 1) + 1 − pads, or what output_shape says, the pads making up for it. */
function spreadOf(node: Node, x: Shape, kernel: readonly number[]): Spread {
  const rank = kernel.length;
  const spatial = x.slice(2);
  const filled = (v: number, n = rank) => new Array<number>(n).fill(v);
  const strides = intsAttr(node, "strides") ?? filled(1);
  const dilations = intsAttr(node, "dilations") ?? filled(1);
  const pads = intsAttr(node, "pads") ?? filled(0, 2 * rank);
  const extra = intsAttr(node, "output_padding") ?? filled(0);
  const wanted = intsAttr(node, "output_shape")?.slice(-rank);
  const auto = stringAttr(node, "auto_pad", "NOTSET");
  const [begins, ends, size]: [number[], number[], Dim[]] = [[], [], []];
  for (let i = 0; i < rank; i++) {
    const s = strides[i]!;
    const extent = dilations[i]! * (kernel[i]! - 1) + 1;
    // s·(n − 1), by the symbol of n where it has one
    const steps = addDim(mulDim(spatial[i]!, s), -s);
    const same = auto === "SAME_UPPER" || auto === "SAME_LOWER";
    if (wanted || same) {
      const target = wanted?.[i] ?? mulDim(spatial[i]!, s);
      // For SAME the size cancels: s·(n − 1) − s·n = −s.
      const over =
        typeof steps === "number" && typeof target === "number"
          ? steps + extra[i]! + extent - target
          : extra[i]! + extent - s;
      const total = Math.max(0, over);
      const half = Math.floor(total / 2);
      begins.push(auto === "SAME_UPPER" ? half : total - half);
      ends.push(auto === "SAME_UPPER" ? total - half : half);
      size.push(target);
      continue;
    }
    begins.push(auto === "VALID" ? 0 : pads[i]!);
    ends.push(auto === "VALID" ? 0 : pads[i + rank]!);
    size.push(addDim(steps, extra[i]! + extent - begins[i]! - ends[i]!));
  }
  return { window: { kernel, strides, dilations, begins, ends, out: spatial }, size };
}

/** x (N, C, …), w (C, M/group, k…), bias (M) → (N, M, …). */
function infer(ctx: InferContext) {
  const [x, w] = [ctx.shape(0), ctx.shape(1)];
  if (!x || !w) return [{ dtype: ctx.dtype(0), shape: undefined }];
  if (x.length !== w.length || x.length < 3) {
    throw ctx.error("input and weight ranks do not fit", { got: `${formatShape(x)} and ${formatShape(w)}` });
  }
  const group = intAttr(ctx.node, "group", 1);
  const [channels, rows] = [x[1]!, w[0]!];
  if (typeof channels === "number" && typeof rows === "number" && channels !== rows) {
    throw ctx.error(`weight expects ${rows} input channels`, {
      got: `${channels} (input ${formatShape(x)})`,
    });
  }
  const outputs = mulDim(w[1]!, group);
  const { size } = spreadOf(ctx.node, x, kernelOf(ctx.node, w));
  return [{ dtype: ctx.dtype(0), shape: [x[0]!, outputs, ...size] }];
}

/** y[n, m, o·s + t·d − p] += Σ_c w[c, m, t] · x[n, c, o]: each pixel of x stamps the kernel on y. */
export const convTranspose: Operator = {
  type: "ConvTranspose",
  since: 1,
  infer,
  evaluate: ({ node, inputs, tensor }) => {
    const [x, w, bias] = [tensor(0), tensor(1), inputs[2]];
    const group = intAttr(node, "group", 1);
    const { window, size } = spreadOf(node, x.dims, kernelOf(node, w.dims));
    const [n, c] = x.dims as [number, number];
    const mg = w.dims[1]!;
    const m = mg * group;
    const outDims = size as number[];
    const [inSize, outSize, taps] = [sizeOf(x.dims.slice(2)), sizeOf(outDims), sizeOf(window.kernel)];
    const [xs, ws, bs] = [x.numbers(), w.numbers(), bias?.numbers()];
    const y = new Float64Array(n * m * outSize);
    if (bs) for (let i = 0; i < y.length; i++) y[i] = bs[Math.floor(i / outSize) % m]!;
    forEachTap(window, outDims, (o, t, at) => {
      for (let k = 0; k < c; k++) {
        const first = Math.floor(k / (c / group)) * mg;
        for (let i = 0; i < n; i++) {
          const v = xs[(i * c + k) * inSize + o]!;
          for (let j = 0; j < mg; j++) {
            y[(i * m + first + j) * outSize + at]! += ws[(k * mg + j) * taps + t]! * v;
          }
        }
      }
    });
    return [Tensor.from(x.dtype, [n, m, ...outDims], y)];
  },
  // One MAC for each element of x, output channel of its group and kernel tap.
  cost: (ctx) => ({
    macs: mulDim(productDim(ctx.shape(0) ?? ["?"]), productDim(ctx.shape(1)?.slice(1) ?? ["?"])),
  }),
  grad: (ctx) => [
    () => inputGradient(ctx),
    () => kernelGradient(ctx),
    () => {
      const axes = ctx
        .dy()
        .shape.map((_, i) => i)
        .filter((i) => i !== 1);
      return squeeze(reduceSum(ctx.dy(), axes), axes);
    },
  ],
};

/** The convolution that this one is the transpose of, as attributes: it leads from y back to x. */
function forwards(ctx: GradContext) {
  const { window, size } = spreadOf(ctx.node, ctx.x(0).shape, kernelOf(ctx.node, ctx.x(1).dims));
  const { strides, dilations, begins, kernel, out } = window;
  if (![...out, ...size].every((d) => typeof d === "number")) {
    throw new ScconvError(
      "not-differentiable",
      "the image size must be fixed to differentiate a convolution",
      {
        where: nodeLabel(ctx.node),
        got: formatShape(ctx.x(0).shape),
        hint: "bind the symbolic sizes first",
      },
    );
  }
  // End padding just so that the last window is the last pixel of x.
  const ends = kernel.map((k, i) => {
    const reach = strides[i]! * ((out[i] as number) - 1) + dilations[i]! * (k - 1) + 1;
    return Math.max(0, reach - (size[i] as number) - begins[i]!);
  });
  return { strides, dilations, pads: [...begins, ...ends], group: intAttr(ctx.node, "group", 1) };
}

/** dx = dy ∗ w */
function inputGradient(ctx: GradContext): Value {
  const dx = conv(ctx.dy(), ctx.x(1), undefined, forwards(ctx));
  const want = ctx.x(0).shape;
  // An output_padding of a stride or more leaves room for windows that x does not have.
  const axes = want.flatMap((d, i) => (i > 1 && dx.shape[i] !== d ? [i] : []));
  return axes.length === 0
    ? dx
    : slice(dx, { starts: axes.map(() => 0), ends: axes.map((a) => want[a] as number), axes });
}

/** dw is the weight gradient of that convolution, dy being its image and x what flows back into it. */
function kernelGradient(ctx: GradContext): Value {
  return weightGradient({
    ...ctx,
    node: { ...ctx.node, op: "Conv", attributes: attributesFrom({ ...forwards(ctx) }) },
    x: (i) => (i === 0 ? ctx.dy() : ctx.x(1)),
    y: () => ctx.x(0),
    dy: () => ctx.x(0),
  });
}
