import { type Shape, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { type Graph, intAttr, intsAttr, type Node, nodeLabel, type TensorType } from "../graph/ir.js";
import { type EvaluateContext, type InferContext, none, type Operator } from "../graph/operator.js";
import { positive } from "./axis.js";
import { concat } from "./joining.js";
import { slice } from "./slice.js";

/** If, Loop and Scan: read, typed and run by their sub-graphs. Nothing is differentiated through them. */

/** How often a sub-graph runs, or which, is decided when it runs. */
const unknownCost = () => ({ macs: undefined });

const notThrough = none("control flow is not differentiated");

/** A sub-graph is written in the set of the graph around it, which would have to be converted with it. */
const downgrade: NonNullable<Operator["downgrade"]> = (_node, _to, make) => {
  throw make.cannot("its own set: sub-graphs are not converted");
};

function graphOf(node: Node, name: string): Graph {
  const a = node.attributes.get(name);
  if (a?.kind !== "graph") {
    throw new ScconvError("invalid-graph", `the sub-graph ${name} is missing`, { where: nodeLabel(node) });
  }
  return a.value;
}

/** Outputs of a sub-graph in order, given its inputs in order. */
function call(ctx: EvaluateContext, graph: Graph, inputs: readonly (Tensor | undefined)[]): Tensor[] {
  if (!ctx.run) throw new ScconvError("unsupported", "control flow", { where: nodeLabel(ctx.node) });
  const feeds = new Map(
    graph.inputs.flatMap((info, i) => (inputs[i] ? [[info.name, inputs[i]] as const] : [])),
  );
  const values = ctx.run(graph, feeds);
  return graph.outputs.map((o) => {
    const t = values.get(o.name);
    if (!t)
      throw new ScconvError("unsupported", "a result that is no tensor", { where: nodeLabel(ctx.node) });
    return t;
  });
}

/** What both types allow. */
function either(a: TensorType | undefined, b: TensorType | undefined): TensorType | undefined {
  if (!a || !b || a.dtype !== b.dtype) return undefined;
  const fits = a.shape && b.shape && a.shape.length === b.shape.length;
  return {
    dtype: a.dtype,
    shape: fits ? a.shape!.map((d, i) => (d === b.shape![i] ? d : unknownDim())) : undefined,
  };
}

/** Output types of a sub-graph; undefined where it contradicts the sizes that there are, and so can never run. */
function typesIfPossible(
  ctx: InferContext,
  graph: Graph,
  inputs: readonly (TensorType | undefined)[],
): readonly (TensorType | undefined)[] | undefined {
  try {
    return ctx.subgraph?.(graph, inputs) ?? graph.outputs.map((o) => o.type);
  } catch (error) {
    if (error instanceof ScconvError && error.code === "shape") return undefined;
    throw error;
  }
}

const types = (ctx: InferContext, graph: Graph, inputs: readonly (TensorType | undefined)[]) =>
  typesIfPossible(ctx, graph, inputs) ?? graph.outputs.map((o) => o.type);

/** Types that one turn does not change: first as they start, then with the sizes that changed left open. */
function settled(
  start: readonly (TensorType | undefined)[],
  turn: (carried: readonly (TensorType | undefined)[]) => readonly (TensorType | undefined)[],
): readonly (TensorType | undefined)[] {
  const once = turn(start);
  const joined = start.map((t, i) => either(t, once[i]));
  const same = joined.every((t, i) => `${t?.shape}` === `${start[i]?.shape}`);
  return same ? once : [...joined, ...turn(joined).slice(joined.length)];
}

export const ifOperator: Operator = {
  type: "If",
  since: 1,
  infer: (ctx) => {
    const branches = ["then_branch", "else_branch"].map((name) => graphOf(ctx.node, name));
    const [yes, no] = branches.map((g) => typesIfPossible(ctx, g, []));
    const condition = ctx.constants[0]?.numbers()[0];
    // A branch that cannot run says nothing.
    const taken = condition === undefined ? undefined : condition ? yes : no;
    const one = taken ?? (yes && no ? undefined : (yes ?? no));
    return one ?? branches[0]!.outputs.map((_, i) => either(yes?.[i], no?.[i]));
  },
  evaluate: (ctx) =>
    call(ctx, graphOf(ctx.node, ctx.tensor(0).numbers()[0] ? "then_branch" : "else_branch"), []),
  cost: unknownCost,
  grad: notThrough,
  downgrade,
};

const stacked = (tensors: readonly Tensor[], axis: number, node: Node): Tensor => {
  const parts = tensors.map((t) => {
    const at = positive(axis, t.dims.length + 1);
    return t.reshape([...t.dims.slice(0, at), 1, ...t.dims.slice(at)]);
  });
  const attributes = new Map([
    ["axis", { kind: "int", value: positive(axis, parts[0]!.dims.length) } as const],
  ]);
  return concat.evaluate({
    node: { ...node, attributes },
    inputs: parts,
    tensor: (i) => parts[i]!,
    outputs: 1,
  })[0]!;
};

/** Inputs: most turns, condition, what is carried. The body: (turn, condition, carried…) → (condition, carried…, scanned…). */
export const loop: Operator = {
  type: "Loop",
  since: 1,
  infer: (ctx) => {
    const body = graphOf(ctx.node, "body");
    const start = ctx.node.inputs.slice(2).map((_, i) => ctx.inputs[i + 2]);
    const scalar = (dtype: "int64" | "bool"): TensorType => ({ dtype, shape: [] });
    const outputs = settled(start, (carried) =>
      types(ctx, body, [scalar("int64"), scalar("bool"), ...carried]).slice(1),
    );
    const turns = unknownDim();
    return outputs.map((t, i) => (i < start.length || !t?.shape ? t : { ...t, shape: [turns, ...t.shape] }));
  },
  evaluate: (ctx) => {
    const body = graphOf(ctx.node, "body");
    const most = Number(ctx.inputs[0]?.numbers()[0] ?? Number.POSITIVE_INFINITY);
    let go = Boolean(ctx.inputs[1]?.numbers()[0] ?? true);
    let carried = ctx.inputs.slice(2);
    const scanned: Tensor[][] = body.outputs.slice(1 + carried.length).map(() => []);
    for (let i = 0; i < most && go; i++) {
      const [next, ...rest] = call(ctx, body, [
        Tensor.scalar("int64", i),
        Tensor.scalar("bool", Number(go)),
        ...carried,
      ]);
      go = Boolean(next!.numbers()[0]);
      for (const [k, t] of rest.slice(carried.length).entries()) scanned[k]!.push(t);
      carried = rest.slice(0, carried.length);
    }
    const stacks = scanned.map((list, k) => {
      if (list.length > 0) return stacked(list, 0, ctx.node);
      const type = body.outputs[1 + carried.length + k]?.type;
      const dims = (type?.shape ?? []).map((d) => (typeof d === "number" ? d : 0));
      return Tensor.zeros(type?.dtype ?? "float32", [0, ...dims]);
    });
    return [...(carried as Tensor[]), ...stacks];
  },
  cost: unknownCost,
  grad: notThrough,
  downgrade,
};

/** Inputs: states, then sequences that are gone through together. The body: (state…, slice…) → (state…, scanned…). */
export const scan: Operator = {
  type: "Scan",
  since: 9,
  infer: (ctx) => {
    const body = graphOf(ctx.node, "body");
    const { states, axes } = scanPlan(ctx.node);
    const sequences = ctx.inputs.slice(states);
    let turns: Shape[number] = unknownDim();
    const slices = sequences.map((t, k) => {
      if (!t?.shape) return t;
      const axis = positive(axes[k]!, t.shape.length);
      turns = t.shape[axis]!;
      return { ...t, shape: t.shape.filter((_, i) => i !== axis) };
    });
    const outputs = settled(ctx.inputs.slice(0, states), (carried) =>
      types(ctx, body, [...carried, ...slices]),
    );
    const outAxes = intsAttr(ctx.node, "scan_output_axes");
    return outputs.map((t, i) => {
      if (i < states || !t?.shape) return t;
      const axis = positive(outAxes?.[i - states] ?? 0, t.shape.length + 1);
      return { ...t, shape: [...t.shape.slice(0, axis), turns, ...t.shape.slice(axis)] };
    });
  },
  evaluate: (ctx) => {
    const body = graphOf(ctx.node, "body");
    const { states, axes } = scanPlan(ctx.node);
    const sequences = ctx.inputs.slice(states) as Tensor[];
    const at = sequences.map((t, k) => positive(axes[k]!, t.dims.length));
    const turns = sequences[0]!.dims[at[0]!]!;
    const [inwards, outwards] = ["scan_input_directions", "scan_output_directions"].map((name) =>
      intsAttr(ctx.node, name),
    );
    let carried = ctx.inputs.slice(0, states);
    const scanned: Tensor[][] = body.outputs.slice(states).map(() => []);
    for (let i = 0; i < turns; i++) {
      const slices = sequences.map((t, k) =>
        taken(t, at[k]!, inwards?.[k] === 1 ? turns - 1 - i : i, ctx.node),
      );
      const results = call(ctx, body, [...carried, ...slices]);
      carried = results.slice(0, states);
      for (const [k, t] of results.slice(states).entries()) scanned[k]!.push(t);
    }
    const outAxes = intsAttr(ctx.node, "scan_output_axes");
    const stacks = scanned.map((list, k) =>
      stacked(outwards?.[k] === 1 ? [...list].reverse() : list, outAxes?.[k] ?? 0, ctx.node),
    );
    return [...(carried as Tensor[]), ...stacks];
  },
  cost: unknownCost,
  grad: notThrough,
  downgrade,
  upgrade: (node, from) => {
    if (from >= 9) return node;
    throw new ScconvError("unsupported", "Scan had a batch axis of its own before set 9", {
      where: nodeLabel(node),
      got: `operator set ${from}`,
    });
  },
};

function scanPlan(node: Node): { states: number; axes: readonly number[] } {
  const sequences = intAttr(node, "num_scan_inputs", 1);
  const axes = intsAttr(node, "scan_input_axes") ?? new Array<number>(sequences).fill(0);
  return { states: node.inputs.length - sequences, axes };
}

/** x at one position of an axis, which is then gone. */
function taken(x: Tensor, axis: number, at: number, node: Node): Tensor {
  const bounds = [[at], [at + 1], [axis]].map((v) => Tensor.from("int64", [1], v));
  const inputs = [x, ...bounds];
  const [part] = slice.evaluate({ node, inputs, tensor: (i) => inputs[i]!, outputs: 1 }) as [Tensor];
  return part.reshape(x.dims.filter((_, i) => i !== axis));
}
