import { type Dim, formatShape, mulDim, type Shape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { type Node, nodeLabel, stringAttr } from "../graph/ir.js";
import { type GradContext, type InferContext, none, type Operator } from "../graph/operator.js";
import { forEachIndex } from "./counting.js";
import { unsqueeze } from "./emit.js";

/** The letters of each operand and of the result; axes behind an ellipsis have letters of their own. */
interface Plan {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

function planOf(node: Node, ranks: readonly number[]): Plan {
  const equation = stringAttr(node, "equation", "").replace(/\s+/g, "");
  const [left = "", right] = equation.split("->");
  const terms = left.split(",");
  const bad = (what: string) =>
    new ScconvError("invalid-graph", what, { where: nodeLabel(node), got: `"${equation}"` });
  if (terms.length !== ranks.length) throw bad(`${ranks.length} operands do not fit the equation`);
  const free = [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter(
    (c) => !equation.includes(c),
  );
  const wide = Math.max(
    0,
    ...terms.map((t, i) => (t.includes("...") ? ranks[i]! - t.replace("...", "").length : 0)),
  );
  const ellipsis = free.slice(0, wide);
  const expanded = (term: string, count: number) =>
    term.replace("...", ellipsis.slice(wide - count).join(""));
  const operands = terms.map((t, i) => {
    const letters = [...expanded(t, ranks[i]! - t.replace("...", "").length)];
    if (letters.length !== ranks[i]) throw bad(`operand ${i} has ${ranks[i]} axes`);
    return letters;
  });
  if (right !== undefined) return { operands, result: [...expanded(right, wide)] };
  const all = operands.flat();
  const once = [...new Set(all)].filter(
    (c) => !ellipsis.includes(c) && all.filter((d) => d === c).length === 1,
  );
  return { operands, result: [...ellipsis, ...once.sort()] };
}

function sizesOf(plan: Plan, shapes: readonly Shape[], where: () => string): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  plan.operands.forEach((letters, i) => {
    letters.forEach((c, a) => {
      const [was, d] = [sizes.get(c) ?? 1, shapes[i]![a]!];
      if (typeof was === "number" && typeof d === "number" && was !== 1 && d !== 1 && was !== d) {
        throw new ScconvError("shape", `axis "${c}" has two sizes`, {
          where: where(),
          got: shapes.map(formatShape).join(" and "),
        });
      }
      if (was === 1 || (typeof was === "string" && typeof d === "number" && d !== 1)) sizes.set(c, d);
    });
  });
  return sizes;
}

const ranksOf = (shapes: readonly (Shape | undefined)[]) => shapes.map((s) => s?.length ?? 0);

function told(ctx: InferContext): { plan: Plan; sizes: Map<string, Dim> } | undefined {
  const shapes = ctx.node.inputs.map((_, i) => ctx.shape(i));
  if (shapes.some((s) => !s)) return undefined;
  const plan = planOf(ctx.node, ranksOf(shapes));
  return { plan, sizes: sizesOf(plan, shapes as Shape[], () => nodeLabel(ctx.node)) };
}

/** Products over all letters, summed over those that the result does not have. */
export const einsum: Operator = {
  type: "Einsum",
  since: 12,
  infer: (ctx) => {
    const known = told(ctx);
    return [{ dtype: ctx.dtype(0), shape: known?.plan.result.map((c) => known.sizes.get(c)!) }];
  },
  evaluate: ({ node, inputs }) => {
    const tensors = inputs as readonly Tensor[];
    const plan = planOf(node, ranksOf(tensors.map((t) => t.dims)));
    const sizes = sizesOf(
      plan,
      tensors.map((t) => t.dims),
      () => nodeLabel(node),
    );
    const letters = [...plan.result, ...[...sizes.keys()].filter((c) => !plan.result.includes(c))];
    const stepsOf = (own: readonly string[], dims: readonly number[]) => {
      const strides = stridesOf(dims);
      return letters.map((c) =>
        own.reduce((sum, l, a) => sum + (l === c && dims[a] !== 1 ? strides[a]! : 0), 0),
      );
    };
    const dims = plan.result.map((c) => sizes.get(c) as number);
    const steps = plan.operands.map((own, i) => stepsOf(own, tensors[i]!.dims));
    const target = stepsOf(plan.result, dims);
    const values = tensors.map((t) => t.numbers());
    const out = new Float64Array(sizeOf(dims));
    forEachIndex(
      letters.map((c) => sizes.get(c) as number),
      (at) => {
        const place = (s: readonly number[]) => at.reduce((sum, v, k) => sum + v * s[k]!, 0);
        out[place(target)]! += steps.reduce((product, s, i) => product * values[i]![place(s)]!, 1);
      },
    );
    return [Tensor.from(tensors[0]!.dtype, dims, out)];
  },
  // One MAC for each combination of letters and each operand after the first.
  cost: (ctx) => {
    const known = told(ctx);
    const every = known ? [...known.sizes.values()].reduce<Dim>(mulDim, 1) : "?";
    return { macs: mulDim(every, ctx.node.inputs.length - 1) };
  },
  grad: (ctx) => {
    const plan = planOf(ctx.node, ranksOf(ctx.inputs.map((v) => v?.shape)));
    return plan.operands.map((own, i) =>
      new Set(own).size === own.length
        ? () => operandGradient(ctx, plan, i)
        : none("a diagonal (a letter twice)"),
    );
  },
};

/** The same sum with the gradient in place of the operand; a letter that only the operand has is broadcast. */
function operandGradient(ctx: GradContext, plan: Plan, i: number): Value {
  const own = plan.operands[i]!;
  const others = plan.operands.flatMap((letters, k) => (k === i ? [] : [{ letters, value: ctx.x(k) }]));
  const elsewhere = new Set([...plan.result, ...others.flatMap((o) => o.letters)]);
  const kept = own.filter((c) => elsewhere.has(c));
  const terms = [plan.result, ...others.map((o) => o.letters)].map((t) => t.join(""));
  const g = ctx.b.add("Einsum", [ctx.dy(), ...others.map((o) => o.value)], {
    equation: `${terms.join()}->${kept.join("")}`,
  });
  const missing = own.flatMap((c, a) => (elsewhere.has(c) ? [] : [a]));
  return missing.length ? unsqueeze(g, missing) : g;
}
