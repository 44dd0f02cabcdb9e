import { addDim, type Dim, divDim, mulDim, type Shape, unknownDim } from "../base/dims.js";
import { isFloat } from "../base/dtype.js";
import type { InferContext } from "../graph/operator.js";

/*
 * Integer contents that are known without running anything: sizes that flow from Shape through arithmetic into Reshape,
 * Expand and their like. An element is a number or the text of a size.
 */

/** More than any shape has; longer vectors are data. */
const MOST = 64;

/** Contents of a small integer (or boolean) input, as far as known. */
export function contents(ctx: InferContext, i: number): Shape | undefined {
  const type = ctx.inputs[i];
  if (!type || isFloat(type.dtype)) return undefined;
  const constant = ctx.constants[i];
  if (!constant) return ctx.partial[i];
  return constant.size <= MOST ? Array.from(constant.numbers()) : undefined;
}

/** The rule of operators that keep the elements in their order (Squeeze, Reshape, Identity …). */
export const sameContents = (ctx: InferContext): Shape | undefined =>
  isFloat(ctx.inputs[0]?.dtype ?? "float32") ? undefined : contents(ctx, 0);

/** The rule of an element by element operator; `f` gives undefined where the result is not known. */
export const mapContents =
  (f: (...v: Dim[]) => Dim | undefined) =>
  (ctx: InferContext): Shape | undefined => {
    const all = ctx.node.inputs.map((_, i) => contents(ctx, i));
    if (ctx.inputs.some((t) => !t?.shape || t.shape.length > 1)) return undefined;
    if (!all.every((v): v is Shape => v !== undefined)) return undefined;
    const n = Math.max(...all.map((v) => v.length));
    if (all.some((v) => v.length !== n && v.length !== 1)) return undefined;
    return Array.from(
      { length: n },
      (_, k) => f(...all.map((v) => v[v.length === 1 ? 0 : k]!)) ?? unknownDim(),
    );
  };

const both = (a: Dim, b: Dim): [number, number] | undefined =>
  typeof a === "number" && typeof b === "number" ? [a, b] : undefined;

/** A named size stands for a number that is not negative. */
export const sizeArithmetic: Readonly<Record<string, (ctx: InferContext) => Shape | undefined>> = {
  Add: mapContents(addDim),
  Sub: mapContents((a, b) => (a === b ? 0 : typeof b === "number" ? addDim(a, -b) : undefined)),
  Mul: mapContents((a, b) => (both(a, b) || !(isNegative(a) || isNegative(b)) ? mulDim(a, b) : undefined)),
  Div: mapContents((a, b) => {
    const n = both(a, b);
    if (n) return n[1] === 0 ? undefined : Math.trunc(n[0] / n[1]);
    return a === b ? 1 : typeof b === "number" && b > 0 ? divDim(a, b) : undefined;
  }),
  Equal: mapContents((a, b) => {
    if (a === b) return 1;
    if (both(a, b) || isNegative(a) || isNegative(b)) return 0;
    return undefined;
  }),
};

const isNegative = (d: Dim) => typeof d === "number" && d < 0;
