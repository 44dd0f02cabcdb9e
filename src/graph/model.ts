import type { Graph, Model } from "./ir.js";

/** The IR version that came with an operator set (onnx/docs/Versioning.md): readers of the set know no newer one. */
export function irVersionFor(opset: number): number {
  if (opset >= 25) return 13;
  if (opset >= 24) return 12;
  if (opset >= 23) return 11;
  if (opset >= 21) return 10;
  if (opset >= 19) return 9;
  if (opset >= 15) return 8;
  if (opset >= 12) return 7;
  return 6;
}

/** A file around a graph; header fields come from `like` where given. */
export function modelOf(graph: Graph, like?: Model, metadata?: ReadonlyMap<string, string>): Model {
  const need = irVersionFor(graph.opsets.get("") ?? 0);
  return {
    ...like,
    graph,
    irVersion: Math.max(need, like?.irVersion ?? 0),
    producer: { name: "scconv", version: "0.1.0" },
    metadata: new Map([...(like?.metadata ?? []), ...(metadata ?? [])]),
  };
}
