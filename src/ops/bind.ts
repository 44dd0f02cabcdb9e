import { type Dim, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import type { Graph, TensorType } from "../graph/ir.js";
import { inferShapes } from "./infer.js";

/**
 * The graph with symbolic sizes of its inputs (`N`) replaced by numbers, and everything that follows from them inferred
 * again. A name that no input has is an error, because it is a typing mistake more often than not.
 */
export function bindSizes(graph: Graph, sizes: ReadonlyMap<string, number>): Graph {
  const symbols = new Set(
    graph.inputs.flatMap((i) => i.type?.shape ?? []).filter((d) => typeof d === "string"),
  );
  for (const [name, size] of sizes) {
    if (!symbols.has(name)) {
      throw new ScconvError("bad-input", `no input has a size "${name}"`, {
        need: [...symbols].filter((s) => !s.startsWith("?")).join(", ") || "a symbolic size",
      });
    }
    if (!Number.isSafeInteger(size) || size < 1) {
      throw new ScconvError("bad-input", `size "${name}" must be a positive integer`, { got: `${size}` });
    }
  }
  const bind = (d: Dim): Dim => {
    if (typeof d === "number") return d;
    const n = sizes.get(d);
    // A size computed from a bound one is inferred again; its old text would only be in the way.
    return n ?? ([...sizes.keys()].some((s) => d.includes(s)) ? unknownDim() : d);
  };
  const bound = (t: TensorType): TensorType => ({ dtype: t.dtype, shape: t.shape?.map(bind) });
  const info = <T extends { readonly type: TensorType | undefined }>(v: T): T =>
    v.type ? { ...v, type: bound(v.type) } : v;
  return inferShapes({
    ...graph,
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    types: new Map([...graph.types].map(([n, t]) => [n, bound(t)])),
  });
}
