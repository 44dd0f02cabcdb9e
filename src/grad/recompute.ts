import { isStatic } from "../base/dims.js";
import { sizeOf } from "../base/tensor.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import type { Node, TensorType } from "../graph/ir.js";
import { readsOf } from "../graph/walk.js";
import { squeeze, zeroAfter } from "../ops/emit.js";

/*
 * Recomputation (Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016): the forward pass keeps only what enters
 * a segment, and the backward pass makes the segment's other values again when it comes to it. The nodes are the same, and
 * so is the gradient, to the bit where the engine runs both alike (a sum it runs inside of a convolution only where that sum alone
 * reads the result, which is then rounded once less); the price is their work, once more.
 *
 * Nothing in a graph says "later", and an engine that finds two nodes of the same inputs makes one of them. So the copies read
 * what enters the segment through an Unsqueeze whose axis comes from the gradient from above (zeroAfter) and a Squeeze that takes it away:
 * no engine knows the axis before that gradient is there, and nothing is copied. (A Reshape to a computed shape does the same, but where
 * another follows it, ONNX Runtime's ReshapeFusion loses the shape and the engine refuses the graph.)
 */

/** What the backward pass reads in the place of the values of the forward pass. */
export interface Recomputation {
  /** From here on the backward pass is at this node, and `gradient` is there. */
  enter(node: Node, gradient: Value | undefined): void;
  /** The value itself where it is kept, else its copy. */
  read(name: string): Value;
}

/** `segmentOf` gives the number of a node's segment, or undefined where all that it makes is kept. */
export function recomputation(
  b: GraphBuilder,
  forward: readonly Node[],
  segmentOf: (node: Node) => number | undefined,
): Recomputation {
  const maker = new Map<string, Node>();
  for (const node of forward) for (const out of node.outputs) if (out !== "") maker.set(out, node);
  const outside = new Set([
    ...leavingSegments(forward, maker, segmentOf),
    ...smallValues(
      b,
      forward.filter((node) => segmentOf(node) !== undefined),
    ),
  ]);
  let current: number | undefined;
  let token: Value | undefined;
  let copies = new Map<string, Value>();

  const ofCurrent = (name: string): Node | undefined => {
    const node = maker.get(name);
    return node && current !== undefined && segmentOf(node) === current && !outside.has(name)
      ? node
      : undefined;
  };
  /** A value from outside of the segment; where it comes from the batch, not to be had before the gradient is. */
  const entering = (name: string): Value => {
    const value = b.value(name);
    const node = maker.get(name);
    const ofBatch = node ? segmentOf(node) !== undefined : !b.initializers.has(name) && value.rank > 1;
    return ofBatch && isStatic(value.shape) ? after(value, token!) : value;
  };
  const copyOf = (wanted: string): Value => {
    // Makers first, without recursion: a segment may be long.
    const stack = [wanted];
    for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
      const node = ofCurrent(name);
      const missing = node?.inputs.filter((n) => n !== "" && !copies.has(n)) ?? [];
      if (!copies.has(name) && missing.length > 0) {
        stack.push(...missing);
        continue;
      }
      stack.pop();
      if (copies.has(name)) continue;
      if (node) for (const [out, copy] of again(b, node, copies)) copies.set(out, copy);
      else copies.set(name, entering(name));
    }
    return copies.get(wanted)!;
  };
  return {
    enter(node, gradient) {
      const segment = segmentOf(node);
      if (segment === current || !gradient) return;
      current = segment;
      token = segment === undefined ? undefined : zeroAfter(gradient);
      copies = new Map();
    },
    read: (name) => (ofCurrent(name) ? copyOf(name) : b.value(name)),
  };
}

/** Values that a node of another segment, or of none, reads. */
function leavingSegments(
  forward: readonly Node[],
  maker: ReadonlyMap<string, Node>,
  segmentOf: (node: Node) => number | undefined,
): Set<string> {
  const leaving = new Set<string>();
  for (const node of forward) {
    for (const name of readsOf(node)) {
      const from = maker.get(name);
      if (from && segmentOf(from) !== segmentOf(node)) leaving.add(name);
    }
  }
  return leaving;
}

/** Of the elements of the largest value: what has no more is no memory to speak of, and may be the sum of a large one. */
const SMALL = 1 / 128;

function smallValues(b: GraphBuilder, nodes: readonly Node[]): string[] {
  const sizes = new Map<string, number>();
  for (const name of nodes.flatMap((node) => node.outputs)) {
    const shape = name === "" ? undefined : b.typeOf(name).shape;
    if (shape && isStatic(shape)) sizes.set(name, sizeOf(shape));
  }
  const most = SMALL * [...sizes.values()].reduce((a, c) => Math.max(a, c), 0);
  return [...sizes].flatMap(([name, size]) => (size <= most ? [name] : []));
}

/** The value, not before `zero` is known. */
function after(value: Value, zero: Value): Value {
  const b = value.builder;
  const type = { dtype: value.dtype, shape: [1, ...value.shape] };
  const [wider] = appended(b, "Unsqueeze", { inputs: [value.name, zero.name], types: [type] });
  return squeeze(wider!, [0]);
}

/** The node once more, on copies of what it reads; its outputs by their names in the forward pass. */
function again(b: GraphBuilder, node: Node, copies: ReadonlyMap<string, Value>): [string, Value][] {
  const outputs = node.outputs.filter((n) => n !== "");
  const made = appended(b, node.op, {
    ...{ domain: node.domain, attributes: node.attributes, name: node.name },
    inputs: node.inputs.map((n) => (n === "" ? "" : copies.get(n)!.name)),
    types: node.outputs.map((n) => (n === "" ? undefined : b.typeOf(n))),
  });
  return outputs.map((n, i) => [n, made[i]!]);
}

/** A node whose outputs have these types, whatever could be inferred; an output without one is left out. */
function appended(
  b: GraphBuilder,
  op: string,
  {
    inputs,
    types,
    domain = "",
    attributes = new Map(),
    name = op,
  }: {
    readonly inputs: readonly string[];
    readonly types: readonly (TensorType | undefined)[];
    readonly domain?: string;
    readonly attributes?: Node["attributes"];
    readonly name?: string;
  },
): Value[] {
  const outputs = types.map((t) => (t ? b.fresh(`${name}.again`) : ""));
  const known = new Map(outputs.flatMap((n, i) => (types[i] ? [[n, types[i]] as const] : [])));
  b.append({ op, domain, attributes, name: b.fresh(name), inputs, outputs }, known);
  return outputs.flatMap((n) => (n === "" ? [] : [b.value(n)]));
}
