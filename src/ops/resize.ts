import { type Dim, formatShape, mulDim, type Shape, unknownDim } from "../base/dims.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { floatAttr, intAttr, intsAttr, type Node, stringAttr } from "../graph/ir.js";
import {
  type DowngradeContext,
  free,
  type GradContext,
  type InferContext,
  none,
  type Operator,
  type UpgradeContext,
} from "../graph/operator.js";
import { positive, without } from "./axis.js";
import { forEachIndex } from "./counting.js";
import { resizeGradient } from "./resize-gradient.js";
import { interpolation, type Weights } from "./resize-weights.js";

/** Inputs: x, region of interest, scales, sizes; one of the last two is given, for all axes or for those in `axes`. */
interface Target {
  readonly axes: readonly number[];
  readonly scales: readonly number[] | undefined;
  readonly sizes: Shape | undefined;
  /** tf_crop_and_resize: starts and ends of the region, each in the order of the axes. */
  readonly region: readonly number[] | undefined;
}

type Source = ArrayLike<number> | undefined;

function targetOf(node: Node, x: Shape, scales: Source, sizes: Shape | undefined, region: Source): Target {
  const rank = x.length;
  const axes =
    intsAttr(node, "axes")?.map((a) => (a < 0 ? a + rank : a)) ?? Array.from({ length: rank }, (_, i) => i);
  // Before 13 an input that does not count was an empty tensor.
  const t: Target = {
    axes,
    scales: scales?.length ? Array.from(scales) : undefined,
    sizes: sizes?.length ? sizes : undefined,
    region: cropping(node) && region?.length ? Array.from(region) : undefined,
  };
  const policy = stringAttr(node, "keep_aspect_ratio_policy", "stretch");
  return policy === "stretch" || !t.sizes ? t : keepingRatio(x, t, policy === "not_larger");
}

const cropping = (node: Node): boolean =>
  stringAttr(node, "coordinate_transformation_mode", "half_pixel") === "tf_crop_and_resize";

/** One scale for all axes: the smallest (not_larger) or largest of those that the sizes ask for. */
function keepingRatio(x: Shape, t: Target, smallest: boolean): Target {
  const ratios = t.axes.map((a, i) => {
    const [d, size] = [x[a], t.sizes![i]];
    return typeof d === "number" && typeof size === "number" ? size / d : Number.NaN;
  });
  const scale = smallest ? Math.min(...ratios) : Math.max(...ratios);
  return {
    ...t,
    scales: ratios.map(() => scale),
    sizes: t.axes.map(
      (a): Dim => (Number.isNaN(scale) ? unknownDim() : Math.floor(scale * (x[a] as number) + 0.5)),
    ),
  };
}

function outputShape(x: Shape, { axes, scales, sizes, region }: Target): Shape {
  const out = [...x];
  axes.forEach((a, i) => {
    const size = sizes?.[i];
    const scale = scales?.[i];
    const d = x[a]!;
    const part = region ? region[i + axes.length]! - region[i]! : 1;
    if (size !== undefined) out[a] = size;
    else if (scale === undefined) out[a] = unknownDim();
    else if (typeof d === "number") out[a] = Math.floor(d * part * scale);
    else out[a] = Number.isInteger(scale) && part === 1 ? mulDim(d, scale) : unknownDim();
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
  return x.map((n, a) => {
    const at = t.axes.indexOf(a);
    const scale = at < 0 ? 1 : (t.scales?.[at] ?? out[a]! / n);
    const region =
      at < 0 || !t.region ? undefined : ([t.region[at]!, t.region[at + t.axes.length]!] as const);
    if (scale === 1 && out[a] === n && !region) return undefined;
    return interpolation({
      mode: stringAttr(node, "mode", "nearest"),
      place: stringAttr(node, "coordinate_transformation_mode", "half_pixel"),
      rounding: stringAttr(node, "nearest_mode", "round_prefer_floor"),
      cubic: floatAttr(node, "cubic_coeff_a", -0.75),
      excludeOutside: intAttr(node, "exclude_outside", 0) === 1,
      antialias: intAttr(node, "antialias", 0) === 1,
      region,
      scale,
      from: n,
      to: out[a]!,
    });
  });
}

/** What is asked of outside the image. */
function fillOutside(x: Tensor, weights: readonly (Weights | undefined)[], value: number): Tensor {
  const outside = weights.map((w) => w?.map((terms) => terms.length === 0));
  if (!outside.some((axis) => axis?.includes(true))) return x;
  const values = Float64Array.from(x.numbers());
  forEachIndex(x.dims, (at, i) => {
    if (at.some((k, a) => outside[a]?.[k])) values[i] = value;
  });
  return Tensor.from(x.dtype, x.dims, values);
}

export const resize: Operator = {
  type: "Resize",
  since: 11,
  formerly: { Upsample: upsampleToResize },
  infer: (ctx: InferContext) => {
    const [dtype, x] = [ctx.dtype(0), ctx.shape(0)];
    if (!x) return [{ dtype, shape: undefined }];
    const region = ctx.constants[1]?.numbers();
    const t = targetOf(ctx.node, x, ctx.constants[2]?.numbers(), ctx.inputs[3] && ctx.ints(3), region);
    if (cropping(ctx.node) && !t.region && !t.sizes) return [{ dtype, shape: x.map(unknownDim) }];
    for (const list of [t.scales, t.sizes]) {
      if (list && list.length !== t.axes.length) {
        throw ctx.error("scales or sizes do not fit the axes", {
          got: `${list.length} for ${formatShape(x)}`,
          need: `${t.axes.length}`,
        });
      }
    }
    return [{ dtype, shape: outputShape(x, t) }];
  },
  evaluate: ({ node, inputs, tensor }) => {
    let x = tensor(0);
    const sizes = inputs[3] && Array.from(inputs[3].numbers());
    const t = targetOf(node, x.dims, inputs[2]?.numbers(), sizes, inputs[1]?.numbers());
    const out = outputShape(x.dims, t) as number[];
    const weights = axisWeights(node, x.dims, out, t);
    weights.forEach((w, axis) => {
      if (w) x = applyAlong(x, axis, w);
    });
    return [fillOutside(x, weights, floatAttr(node, "extrapolation_value", 0))];
  },
  cost: free,
  settings: [1, 2],
  grad: (ctx) => [
    () => {
      const x = ctx.x(0).dims;
      const known = (i: number) => ctx.inputs[i]?.constant?.numbers();
      const sizes = ctx.inputs[3] && (known(3) ? Array.from(known(3)!) : axesOut(ctx));
      const target = targetOf(ctx.node, x, known(2), sizes, known(1));
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
function upsampleToResize(node: Node, make: UpgradeContext): Node {
  const scales = node.attributes.get("scales");
  const given =
    scales?.kind === "floats"
      ? make.constant(Tensor.from("float32", [scales.value.length], scales.value))
      : node.inputs[1]!;
  return asymmetric(node, [node.inputs[0]!, "", given]);
}

/** Sizes that are computed show in the output. */
function axesOut(ctx: GradContext): number[] {
  const { dims } = ctx.y();
  return (intsAttr(ctx.node, "axes") ?? dims.map((_, i) => i)).map((a) => dims[a < 0 ? a + dims.length : a]!);
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
  if (intAttr(node, "antialias", 0) === 1) throw make.cannot("set 18 (antialias)");
  const policy = stringAttr(node, "keep_aspect_ratio_policy", "stretch");
  if (policy !== "stretch") throw make.cannot(`set 18 (keep_aspect_ratio_policy ${policy})`);
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
