import type { Graph } from "scconv";
import { type NodePlacement, openModelFile, type PlacedNode, type WebEngine } from "scconv/web";
import type { ModelFiles, NamedNodes, Timed } from "./protocol.js";

export type OffGpu = Pick<Timed, "kept" | "moved">;

/** Nodes of a model that an engine with WebGPU computes on the CPU: those that its session kept from WebGPU, and the engine's own. */
export async function offGpu(
  engine: WebEngine,
  { model, external }: ModelFiles,
  onCpu: readonly string[],
): Promise<OffGpu> {
  if (engine.provider !== "webgpu") return { kept: [], moved: [] };
  const { runnable, graph } = await openModelFile(model, { external });
  // What was timed stands, whatever becomes of this.
  const placement = await engine.placement(runnable).catch(() => undefined);
  const ops = new Map(graph.nodes.map((n) => [n.name, n.op]));
  const kept = onCpu.map((name) => {
    // A name that was not there, or there twice, got a number of its own.
    const own = ops.has(name) ? name : name.replace(/#\d+$/, "");
    return { op: ops.get(own) ?? "node", name: own };
  });
  const known = new Set(onCpu);
  const moved = placement && nodesOnCpu(placement, graph).filter(({ name }) => !known.has(name));
  return { kept: byOperator(kept), moved: moved && byOperator(moved) };
}

function nodesOnCpu(placement: readonly NodePlacement[], graph: Graph): readonly PlacedNode[] {
  const found = placement.find((p) => p.provider === "CPUExecutionProvider");
  // Where it has all of them, the engine does not name them.
  return found ? (found.nodes ?? graph.nodes) : [];
}

function byOperator(nodes: readonly PlacedNode[]): readonly NamedNodes[] {
  const found = new Map<string, string[]>();
  for (const { op, name } of nodes) {
    const names = found.get(op);
    if (names) names.push(name);
    else found.set(op, [name]);
  }
  return [...found].map(([op, names]) => ({ op, names }));
}
