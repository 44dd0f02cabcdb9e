import { type Dim, divDim, formatShape, mulDim } from "../base/dims.js";
import { stridesOf, Tensor } from "../base/tensor.js";
import { intAttr, type Node, stringAttr } from "../graph/ir.js";
import { free, type InferContext, type Operator } from "../graph/operator.js";
import { without } from "./axis.js";
import { reshape, reshapeLike, transpose } from "./emit.js";
import { gather } from "./reshaping.js";

/*
 * DepthToSpace (n, s·s·c, h, w) → (n, c, h·s, w·s) and its inverse: a reshape to six axes, a transpose, a reshape. `DCR`
 * has the block before the channels, `CRD` after them.
 */

const checked = (ctx: InferContext) => {
  const x = ctx.shape(0);
  const s = intAttr(ctx.node, "blocksize", 1);
  if (x && x.length !== 4) throw ctx.error("takes images", { got: formatShape(x), need: "4 axes" });
  return { x, s };
};

/** The axes in between and the order that puts them together. */
const toSpace = (node: Node, c: number, h: number, w: number) => {
  const s = intAttr(node, "blocksize", 1);
  const crd = stringAttr(node, "mode", "DCR") === "CRD";
  const inner = c / (s * s);
  return crd
    ? { dims: [inner, s, s, h, w], perm: [0, 1, 4, 2, 5, 3] }
    : { dims: [s, s, inner, h, w], perm: [0, 3, 4, 1, 5, 2] };
};
const toDepth = (node: Node, c: number, h: number, w: number) => {
  const s = intAttr(node, "blocksize", 1);
  const crd = stringAttr(node, "mode", "DCR") === "CRD";
  return { dims: [c, h / s, s, w / s, s], perm: crd ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4] };
};

type Plan = (node: Node, c: number, h: number, w: number) => { dims: number[]; perm: number[] };

const operator = (type: string, since: number, plan: Plan, infer: Operator["infer"]): Operator => ({
  type,
  since,
  infer,
  evaluate: ({ node, tensor }) => {
    const x = tensor(0);
    const [n, c, h, w] = x.dims as [number, number, number, number];
    const { dims, perm } = plan(node, c, h, w);
    const wide = [n, ...dims];
    const strides = stridesOf(wide);
    const moved = gather(
      x.reshape(wide),
      perm.map((p) => wide[p]!),
      perm.map((p) => strides[p]!),
    );
    const s = intAttr(node, "blocksize", 1);
    const out = type === "DepthToSpace" ? [n, c / (s * s), h * s, w * s] : [n, c * s * s, h / s, w / s];
    return [Tensor.of(x.dtype, out, moved.data)];
  },
  cost: free,
  // The same steps backwards.
  grad: ({ node, x, dy }) => [
    () => {
      const [, c, h, w] = x(0).shape as readonly number[];
      const { dims, perm } = plan(node, c!, h!, w!);
      const apart = reshape(dy(), [-1, ...perm.slice(1).map((p) => dims[p - 1]!)]);
      const inverse = perm.map((_, i) => perm.indexOf(i));
      return reshapeLike(transpose(apart, inverse), x(0));
    },
  ],
});

export const depthToSpace = operator("DepthToSpace", 11, toSpace, (ctx) => {
  const { x, s } = checked(ctx);
  const c = x?.[1];
  if (typeof c === "number" && c % (s * s) !== 0) {
    throw ctx.error("the channels are not a multiple of the block", { got: `${c}, block ${s}×${s}` });
  }
  const shape = x && [x[0]!, divDim(c!, s * s), mulDim(x[2]!, s), mulDim(x[3]!, s)];
  return [{ dtype: ctx.dtype(0), shape }];
});

const spaceToDepthRules = operator("SpaceToDepth", 1, toDepth, (ctx) => {
  const { x, s } = checked(ctx);
  const spatial = x?.slice(2) ?? [];
  if (spatial.some((d) => typeof d === "number" && d % s !== 0)) {
    throw ctx.error("the image is not a multiple of the block", { got: `${formatShape(x)}, block ${s}` });
  }
  const shape = x && [x[0]!, mulDim(x[1]!, s * s), ...spatial.map((d): Dim => divDim(d, s))];
  return [{ dtype: ctx.dtype(0), shape }];
});

export const spaceToDepth: Operator = {
  ...spaceToDepthRules,
  // The order of the block came with 28.
  downgrade: (node, to, make) => {
    if (to >= 28) return node;
    if (stringAttr(node, "mode", "DCR") === "CRD") throw make.cannot("set 28 (mode CRD)");
    return { ...node, attributes: without(node, "mode") };
  },
};
