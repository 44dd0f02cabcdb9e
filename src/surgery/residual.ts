import type { Graph, Node } from "../graph/ir.js";
import { producers } from "../graph/walk.js";

/** k×k convolutions, k ≥ 2. */
function isSpatial(graph: Graph, node: Node): boolean {
  if (node.op !== "Conv") return false;
  const dims = graph.initializers.get(node.inputs[1] ?? "")?.dims;
  return dims?.slice(2).some((k) => k > 1) ?? false;
}

/**
 * In residual blocks with two k×k convolutions the one nearest the addition, in bottleneck blocks the only one. A
 * residual block is an addition and what lies between it and the nearest value that both its operands come from.
 */
export function secondConvolutions(graph: Graph): Set<Node> {
  const maker = producers(graph);
  const order = new Map(graph.nodes.map((node, i) => [node, i]));
  const chosen = new Set<Node>();
  for (const add of graph.nodes) {
    if (add.op !== "Add" || add.inputs.length !== 2) continue;
    const branches = branchesOf(add, maker, order);
    if (!branches) continue;
    for (const branch of branches) {
      const spatial = branch.filter((n) => isSpatial(graph, n)).sort((a, b) => order.get(b)! - order.get(a)!);
      const [nearest] = spatial;
      if (nearest && spatial.length <= 2) chosen.add(nearest);
    }
  }
  return chosen;
}

/**
 * The nodes of both branches, walked back from the addition in reverse graph order until one point is left where they
 * meet. Undefined where the operands have no common origin.
 */
function branchesOf(
  add: Node,
  maker: ReadonlyMap<string, Node>,
  order: ReadonlyMap<Node, number>,
): [Node[], Node[]] | undefined {
  const sides = new Map<Node | string, number>();
  const frontier: (Node | string)[] = [];
  const reach = (name: string, side: number) => {
    // A graph input stands for itself; constants end a path.
    const at = maker.get(name) ?? (name === "" ? undefined : name);
    if (at === undefined) return;
    if (!sides.has(at)) frontier.push(at);
    sides.set(at, (sides.get(at) ?? 0) | side);
  };
  const place = (at: Node | string) => (typeof at === "string" ? -1 : order.get(at)!);
  reach(add.inputs[0]!, 1);
  reach(add.inputs[1]!, 2);
  const branches: [Node[], Node[]] = [[], []];
  const paths = () => frontier.filter((at) => typeof at !== "string" || sides.get(at) === 3);
  for (let left = 4096; left > 0 && frontier.length > 0; left--) {
    let last = 0;
    for (let i = 1; i < frontier.length; i++) if (place(frontier[i]!) > place(frontier[last]!)) last = i;
    const at = frontier[last]!;
    const side = sides.get(at)!;
    if (side === 3 && paths().length === 1) return branches;
    if (typeof at === "string") return undefined;
    frontier.splice(last, 1);
    if (side !== 2) branches[0].push(at);
    if (side !== 1) branches[1].push(at);
    for (const name of at.inputs) reach(name, side);
  }
  return undefined;
}
