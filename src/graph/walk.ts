import { ScconvError } from "../base/errors.js";
import { type Graph, type Node, nodeLabel } from "./ir.js";

/** Which node makes each value. */
export function producers(graph: Graph): Map<string, Node> {
  const map = new Map<string, Node>();
  for (const node of graph.nodes) for (const out of node.outputs) if (out !== "") map.set(out, node);
  return map;
}

/** Which nodes read each value (sub-graphs' readings of outer values included), in graph order. */
export function consumers(graph: Graph): Map<string, Node[]> {
  const map = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(readsOf(node))) {
      const list = map.get(name);
      if (list) list.push(node);
      else map.set(name, [node]);
    }
  }
  return map;
}

/** All values that a node reads: its inputs, and what its sub-graphs take from outside. */
export function readsOf(node: Node): string[] {
  const reads: string[] = [];
  const stack: Graph[] = [];
  const visit = ({ inputs, attributes }: Node) => {
    for (const name of inputs) if (name !== "") reads.push(name);
    for (const a of attributes.values()) if (a.kind === "graph") stack.push(a.value);
  };
  visit(node);
  for (let g = stack.pop(); g; g = stack.pop()) {
    for (const inner of g.nodes) visit(inner);
    for (const { name } of g.outputs) reads.push(name);
  }
  return reads;
}

/** Nodes ordered so that each comes after what it reads; the order in the list is kept where it may be. */
export function topological(nodes: readonly Node[]): Node[] {
  const maker = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const out of node.outputs) if (out !== "") maker.set(out, i);
  });
  const waits = new Array<number>(nodes.length).fill(0);
  const next: number[][] = nodes.map(() => []);
  nodes.forEach((node, i) => {
    for (const d of new Set(readsOf(node).map((n) => maker.get(n)))) {
      if (d === undefined) continue;
      waits[i]!++;
      next[d]!.push(i);
    }
  });
  // A heap would keep the original order exactly; a queue seeded in order keeps it for what is already sorted.
  if (waits.every((_, i) => next[i]!.every((j) => j > i))) return [...nodes];
  const queue = waits.flatMap((w, i) => (w === 0 ? [i] : []));
  for (let head = 0; head < queue.length; head++) {
    for (const j of next[queue[head]!]!) if (--waits[j]! === 0) queue.push(j);
  }
  if (queue.length < nodes.length) {
    const stuck = nodes[waits.findIndex((w) => w > 0)]!;
    throw new ScconvError("invalid-graph", "the graph has a cycle", { where: nodeLabel(stuck) });
  }
  return queue.map((i) => nodes[i]!);
}

/** The graph without nodes and initializers that no output depends on. */
export function prune(graph: Graph): Graph {
  const needed = new Set(graph.outputs.map((o) => o.name));
  const nodes: Node[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some((o) => needed.has(o))) continue;
    nodes.push(node);
    for (const name of readsOf(node)) needed.add(name);
  }
  nodes.reverse();
  const made = new Set(nodes.flatMap((n) => n.outputs));
  return {
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    types: new Map([...graph.types].filter(([name]) => made.has(name))),
  };
}
