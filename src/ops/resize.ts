import { type Dim, formatShape, mulDim, type Shape, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { floatAttr, intAttr, intsAttr, type Node, nodeLabel, stringAttr } from "../graph/ir.js";
import {
  type DowngradeContext,
  free,
  type InferContext,
  none,
  type Operator,
  type UpgradeContext,
} from "../graph/operator.js";
import { positive, without } from "./axis.js";
import { resizeGradient } from "./resize-gradient.js";
import { interpolation, type Weights } from "./resize-weights.js";

/** Inputs: x, region of interest, scales, sizes; one of the last two is given, for all axes or for those in `axes`. */
interface Target {
  readonly axes: readonly number[];
  readonly scales: readonly number[] | undefined;
  readonly sizes: Shape | undefined;
}

function targetOf(
  node: Node,
  rank: number,
  scales: ArrayLike<number> | undefined,
  sizes: Shape | undefined,
): Target {
  const given = intsAttr(node, "axes");
  const axes = given?.map((a) => (a < 0 ? a + rank : a)) ?? Array.from({ length: rank }, (_, i) => i);
  // Before 13 an input that does not count was an empty tensor.
  return {
    axes,
    scales: scales?.length ? Array.from(scales) : undefined,
    sizes: sizes?.length ? sizes : undefined,
  };
}

function outputShape(x: Shape, { axes, scales, sizes }: Target): Shape {
  const out = [...x];
  axes.forEach((a, i) => {
    const size = sizes?.[i];
    const scale = scales?.[i];
    const d = x[a]!;
    if (size !== undefined) out[a] = size;
    else if (scale === undefined) out[a] = unknownDim();
    else if (typeof d === "number") out[a] = Math.floor(d * scale);
    else out[a] = Number.isInteger(scale) ? mulDim(d, scale) : unknownDim();
  });
  return out;
}

/** How each axis that changes is made of the input's, axis by axis. */
export function axisWeights(
  node: Node,
  x: readonly number[],
  out: readonly number[],
  t: Target,
): (Weights | undefined)[] {
  refuse(node);
  return x.map((n, a) => {
    const at = t.axes.indexOf(a);
    const scale = at < 0 ? 1 : t.sizes ? out[a]! / n : (t.scales?.[at] ?? 1);
    if (scale === 1 && out[a] === n) return undefined;
    return interpolation({
      mode: stringAttr(node, "mode", "nearest"),
      place: stringAttr(node, "coordinate_transformation_mode", "half_pixel"),
      rounding: stringAttr(node, "nearest_mode", "round_prefer_floor"),
      cubic: floatAttr(node, "cubic_coeff_a", -0.75),
      excludeOutside: intAttr(node, "exclude_outside", 0) === 1,
      scale,
      from: n,
      to: out[a]!,
    });
  });
}

function refuse(node: Node): void {
  const bad = [
    intAttr(node, "antialias", 0) === 1 && "antialias",
    stringAttr(node, "keep_aspect_ratio_policy", "stretch") !== "stretch" && "keep_aspect_ratio_policy",
    stringAttr(node, "coordinate_transformation_mode", "") === "tf_crop_and_resize" && "tf_crop_and_resize",
  ].filter(Boolean);
  if (bad.length)
    throw new ScconvError("unsupported", `Resize with ${bad.join(", ")}`, { where: nodeLabel(node) });
}

export const resize: Operator = {
  type: "Resize",
  since: 11,
  infer: (ctx: InferContext) => {
    const [dtype, x] = [ctx.dtype(0), ctx.shape(0)];
    if (!x) return [{ dtype, shape: undefined }];
    const t = targetOf(ctx.node, x.length, ctx.constants[2]?.numbers(), ctx.inputs[3] && ctx.ints(3));
    for (const list of [t.scales, t.sizes]) {
      if (list && list.length !== t.axes.length) {
        throw ctx.error("scales or sizes do not fit the axes", {
          got: `${list.length} for ${formatShape(x)}`,
          need: `${t.axes.length}`,
        });
      }
    }
    if (stringAttr(ctx.node, "keep_aspect_ratio_policy", "stretch") !== "stretch") {
      return [{ dtype, shape: x.map((d, i): Dim => (t.axes.includes(i) ? unknownDim() : d)) }];
    }
    return [{ dtype, shape: outputShape(x, t) }];
  },
  evaluate: ({ node, inputs, tensor }) => {
    let x = tensor(0);
    const t = targetOf(
      node,
      x.dims.length,
      inputs[2]?.numbers(),
      inputs[3] && Array.from(inputs[3].numbers()),
    );
    const out = outputShape(x.dims, t) as number[];
    axisWeights(node, x.dims, out, t).forEach((w, axis) => {
      if (w) x = applyAlong(x, axis, w);
    });
    return [x];
  },
  cost: free,
  settings: [1, 2],
  grad: (ctx) => [
    () => {
      const x = ctx.x(0).dims;
      const scales = ctx.inputs[2]?.constant?.numbers();
      const t = targetOf(ctx.node, x.length, scales, ctx.inputs[3] && ctx.y().dims.slice());
      // With sizes, the output's own dims say them for all axes.
      const target = t.sizes ? { ...t, axes: x.map((_, i) => i) } : t;
      return resizeGradient(ctx.dy(), ctx.x(0), axisWeights(ctx.node, x, ctx.y().dims, target));
    },
    none("the region of interest is a setting"),
    none("scales are settings"),
    none("sizes are settings"),
  ],
  downgrade,
  // Set 10 knew scales only, and placed pixels as `asymmetric` does.
  upgrade: (node, from) => (from >= 11 ? node : asymmetric(node, [node.inputs[0]!, "", node.inputs[1]!])),
};

function asymmetric(node: Node, inputs: readonly string[]): Node {
  const mode = stringAttr(node, "mode", "nearest");
  const text = (value: string) => ({ kind: "string", value }) as const;
  return {
    ...node,
    op: "Resize",
    inputs,
    attributes: new Map([
      ["mode", text(mode === "bilinear" || mode === "trilinear" ? "linear" : mode)],
      ["coordinate_transformation_mode", text("asymmetric")],
      ["nearest_mode", text("floor")],
    ]),
  };
}

/** Upsample, which Resize took the place of in set 10; before 9 its scales were an attribute. */
export function upsampleToResize(node: Node, make: UpgradeContext): Node {
  const scales = node.attributes.get("scales");
  const given =
    scales?.kind === "floats"
      ? make.constant(Tensor.from("float32", [scales.value.length], scales.value))
      : node.inputs[1]!;
  return asymmetric(node, [node.inputs[0]!, "", given]);
}

/** Replaces one axis by weighted sums along it. */
function applyAlong(x: Tensor, axis: number, weights: Weights): Tensor {
  const n = x.dims[axis]!;
  const inner = sizeOf(x.dims.slice(axis + 1));
  const outer = sizeOf(x.dims.slice(0, axis));
  const xs = x.numbers();
  const out = new Float64Array(outer * weights.length * inner);
  for (let o = 0; o < outer; o++) {
    weights.forEach((terms, k) => {
      for (const [i, w] of terms) {
        for (let j = 0; j < inner; j++) {
          out[(o * weights.length + k) * inner + j]! += w * xs[(o * n + i) * inner + j]!;
        }
      }
    });
  }
  const dims = x.dims.map((d, i) => (i === axis ? weights.length : d));
  return Tensor.from(x.dtype, dims, out);
}

/** Axes of choice, antialiasing and aspect ratios came with 18; before 13 no input could be left out, but be empty. */
function downgrade(node: Node, to: number, make: DowngradeContext): Node {
  const place = stringAttr(node, "coordinate_transformation_mode", "half_pixel");
  if (to < 19 && place === "half_pixel_symmetric") throw make.cannot("set 19 (half_pixel_symmetric)");
  if (to >= 18) return node;
  refuse(node);
  const attributes = without(node, "antialias", "keep_aspect_ratio_policy", "axes");
  const [x, roi = "", scales = "", sizes = ""] = node.inputs as [string, string?, string?, string?];
  const axes = intsAttr(node, "axes");
  const shape = make.type(x)?.shape;
  const onAll = (name: string, rest: (axis: number) => Dim): Tensor | undefined => {
    if (!axes || name === "") return undefined;
    const given = make.known(name);
    const values = shape?.map((_, i) => {
      const at = axes.findIndex((a) => positive(a, shape.length) === i);
      return at < 0 ? rest(i) : given?.numbers()[at];
    });
    if (!values?.every((v) => typeof v === "number")) throw make.cannot("set 18, or sizes that are known");
    return Tensor.from(given!.dtype, [values.length], values);
  };
  const put = (name: string, tensor: Tensor | undefined) => (tensor ? make.constant(tensor) : name);
  const none = () => make.constant(Tensor.zeros("float32", [0]));
  const inputs = [
    x,
    roi,
    put(
      scales,
      onAll(scales, () => 1),
    ),
    put(
      sizes,
      onAll(sizes, (i) => shape![i]!),
    ),
  ];
  if (to < 13) for (const i of [1, 2]) inputs[i] ||= none();
  while (inputs.at(-1) === "") inputs.pop();
  return { ...node, inputs, attributes };
}
