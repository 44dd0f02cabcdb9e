import { isFloat } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import { type Node, nodeLabel } from "../graph/ir.js";
import { type GradContext, operatorKey } from "../graph/operator.js";
import { readsOf } from "../graph/walk.js";
import { add, expandLike, reduceSum, reshape, sameShape, shapeVector, sub } from "../ops/emit.js";
import { operators } from "../ops/index.js";
import { recomputation } from "./recompute.js";

export interface DifferentiateOptions {
  /** The gradients to start from, by the value they belong to; default: 1 for `loss`. */
  readonly seeds?: ReadonlyMap<Value, Value>;
  /** The segment of a node of the forward pass, whose values are made again for the backward pass; undefined: they are kept. */
  readonly segmentOf?: ((node: Node) => number | undefined) | undefined;
}

/**
 * Reverse mode over the nodes that `builder` holds: adds the nodes that compute ∂loss/∂w for each w of `wrt` and returns
 * those values (undefined where the loss does not depend on w). The walk knows no operator; each answers for itself by
 * its `grad` rule. Gradient nodes are named `grad.<forward node>`.
 *
 * Throws `not-differentiable`, naming every node on the way that has no derivative, before anything is added.
 */
export function differentiate(
  builder: GraphBuilder,
  loss: Value | undefined,
  wrt: readonly Value[],
  { seeds, segmentOf }: DifferentiateOptions = {},
): (Value | undefined)[] {
  const forward = builder.nodes.slice();
  const starts = seeds ?? new Map([[loss!, builder.scalar(1, loss!.dtype)]]);
  const active = between(builder, forward, wrt, [...starts.keys()]);
  refuseUnknown(builder, active);
  const again = segmentOf && recomputation(builder, forward, segmentOf);

  // Contributions are added only when the value's own node is reached: those that are still narrower than the value
  // (the gradient of a mean, say) are broadcast by the addition itself, without a copy.
  const pieces = new Map<string, Value[]>();
  /** What a contribution is the negative of: a + (−b) is a − b, a pass less. */
  const negated = new Map<string, Value>();
  const accumulate = (value: Value, gradient: Value) => {
    const fitted = unbroadcast(gradient, value);
    const last = builder.nodes.at(-1);
    if (last?.op === "Neg" && last.outputs[0] === fitted.name)
      negated.set(fitted.name, builder.value(last.inputs[0]!));
    const list = pieces.get(value.name);
    if (list) list.push(fitted);
    else pieces.set(value.name, [fitted]);
  };
  const joined = (a: Value, b: Value): Value => {
    const [minusA, minusB] = [negated.get(a.name), negated.get(b.name)];
    if (minusB) return sub(a, minusB);
    return minusA ? sub(b, minusA) : add(a, b);
  };
  /** The gradient of a value, as wide as the value unless `narrow` will do. */
  const total = (name: string, narrowDoes = false): Value | undefined => {
    const list = pieces.get(name);
    if (!list) return undefined;
    const value = builder.value(name);
    const narrow = list.filter((g) => !sameShape(g.shape, value.shape));
    const full = list.filter((g) => sameShape(g.shape, value.shape));
    const sum = [...full, ...narrow].reduce(joined);
    return narrowDoes ? sum : expandLike(sum, value);
  };
  for (const [value, seed] of starts) accumulate(value, seed);

  const wanted = new Set(active.values);
  for (const node of active.nodes.reverse()) {
    if (node.outputs.every((n) => !pieces.has(n))) continue;
    builder.scope(`grad.${node.name || node.outputs[0]}`, () => {
      const upstream = node.outputs.map((n) => total(n, broadcasts(builder, node)));
      const grad = operators.get(operatorKey(node.op, node.domain))?.grad;
      if (typeof grad !== "function") return;
      again?.enter(
        node,
        upstream.find((g) => g !== undefined),
      );
      const rules = grad(contextFor(builder, node, upstream, again?.read));
      node.inputs.forEach((name, i) => {
        const rule = rules[i];
        if (wanted.has(name) && typeof rule === "function") accumulate(builder.value(name), rule());
      });
    });
  }
  return wrt.map((w) => total(w.name));
}

/**
 * Whether the rule of a node takes a gradient that is narrower than its value as it is: products and sums of values of one
 * shape, for they broadcast it themselves.
 */
function broadcasts(builder: GraphBuilder, { op, domain, inputs, outputs }: Node): boolean {
  if (domain !== "" || !["Add", "Sub", "Mul"].includes(op)) return false;
  const { shape } = builder.value(outputs[0]!);
  return inputs.every((name) => sameShape(builder.value(name).shape, shape));
}

/** The nodes and values on a differentiable path from `wrt` to `ends`. */
function between(
  builder: GraphBuilder,
  nodes: readonly Node[],
  wrt: readonly Value[],
  ends: readonly Value[],
): { nodes: Node[]; values: Set<string> } {
  const reached = new Set(wrt.map((w) => w.name));
  const passes = (node: Node) => {
    const grad = operators.get(operatorKey(node.op, node.domain))?.grad;
    return typeof grad === "function" || grad === undefined || !grad.zero;
  };
  for (const node of nodes) {
    if (!readsOf(node).some((n) => reached.has(n)) || !passes(node)) continue;
    for (const out of node.outputs) if (out !== "" && isFloat(builder.typeOf(out).dtype)) reached.add(out);
  }
  const needed = new Set(ends.map((e) => e.name));
  const kept: Node[] = [];
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!;
    if (!node.outputs.some((o) => needed.has(o) && reached.has(o))) continue;
    const reads = readsOf(node);
    if (!reads.some((n) => reached.has(n)) || !passes(node)) continue;
    kept.push(node);
    for (const n of reads) if (reached.has(n)) needed.add(n);
  }
  return { nodes: kept.reverse(), values: new Set([...reached].filter((v) => needed.has(v))) };
}

/** All nodes without a derivative at once, not one at a time. */
function refuseUnknown(
  builder: GraphBuilder,
  { nodes, values }: { readonly nodes: readonly Node[]; readonly values: ReadonlySet<string> },
): void {
  const stuck = nodes.flatMap((node) => {
    const operator = operators.get(operatorKey(node.op, node.domain));
    if (!operator) return [`${nodeLabel(node)}: unknown operator`];
    if (typeof operator.grad !== "function") return [`${nodeLabel(node)}: ${operator.grad.none}`];
    // The rules themselves add nothing, only their thunks do; any value will do for the gradient of an output.
    const upstream = node.outputs.map((n) => (values.has(n) ? builder.value(n) : undefined));
    const rules = operator.grad(contextFor(builder, node, upstream));
    return node.inputs.flatMap((name, i) => {
      const rule = rules[i];
      if (!values.has(name) || typeof rule === "function" || rule?.zero) return [];
      return [`${nodeLabel(node)}, input ${i}: ${rule?.none ?? "no rule"}`];
    });
  });
  if (stuck.length === 0) return;
  throw new ScconvError("not-differentiable", `no derivative for ${stuck.length} node(s)`, {
    got: stuck.slice(0, 10).join("; ") + (stuck.length > 10 ? " …" : ""),
  });
}

function contextFor(
  builder: GraphBuilder,
  node: Node,
  upstream: readonly (Value | undefined)[],
  read: (name: string) => Value = (name) => builder.value(name),
): GradContext {
  const inputs = node.inputs.map((n) => (n === "" ? undefined : builder.value(n)));
  const outputs = node.outputs.map((n) => builder.value(n));
  const terms = new Map<string, Value>();
  const present = (v: Value | undefined, what: string): Value => {
    if (!v) throw new ScconvError("not-differentiable", `${what} is missing`, { where: nodeLabel(node) });
    return v;
  };
  return {
    b: builder,
    node,
    inputs,
    outputs,
    upstream,
    x: (i) => read(present(inputs[i], `input ${i}`).name),
    y: (i = 0) => read(present(outputs[i], `output ${i}`).name),
    dy: (i = 0) => present(upstream[i], `the gradient of output ${i}`),
    shared: (key, make) => {
      let term = terms.get(key);
      if (!term) {
        term = make();
        terms.set(key, term);
      }
      return term;
    },
  };
}

/** Sums a gradient over the axes along which its value was broadcast. The result may be narrower than the value. */
function unbroadcast(gradient: Value, value: Value): Value {
  const [from, to] = [gradient.shape, value.shape];
  if (sameShape(from, to)) return gradient;
  const extra = from.length - to.length;
  const axes = from.flatMap((d, i) => (i < extra || (to[i - extra] === 1 && d !== 1) ? [i] : []));
  const summed = reduceSum(gradient, axes);
  return extra > 0 ? reshape(summed, shapeVector(value)) : summed;
}
