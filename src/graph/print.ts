import { formatShape } from "../base/dims.js";
import type { Attribute, Graph, Node, TensorType } from "./ir.js";

const short: Record<string, string> = { float32: "f32", float64: "f64", float16: "f16", bfloat16: "bf16" };
const formatType = (t: TensorType | undefined): string =>
  t ? `${short[t.dtype] ?? t.dtype}[${formatShape(t.shape)}]` : "?";

function formatAttribute(a: Attribute): string {
  if (a.kind === "tensor") return `${formatType({ dtype: a.value.dtype, shape: a.value.dims })}`;
  if (a.kind === "graph") return `graph "${a.value.name}"`;
  if (a.kind === "other") return "…";
  return Array.isArray(a.value) ? `[${a.value.join(",")}]` : `${a.value}`;
}

/** A graph as text, one line per node: `conv1.out: f32[N×16×32×32] = Conv(x, w) {pads=[1,1,1,1]}`. */
export function printGraph(graph: Graph): string {
  const types = new Map(graph.types);
  for (const o of graph.outputs) if (o.type) types.set(o.name, o.type);
  const line = (node: Node): string => {
    const outs = node.outputs.map((n) => (n === "" ? "_" : `${n}: ${formatType(types.get(n))}`)).join(", ");
    const attrs = [...node.attributes].map(([k, a]) => `${k}=${formatAttribute(a)}`).join(" ");
    const op = node.domain ? `${node.domain}.${node.op}` : node.op;
    return `  ${outs} = ${op}(${node.inputs.map((n) => n || "_").join(", ")})${attrs ? ` {${attrs}}` : ""}`;
  };
  return [
    `graph ${graph.name} opset ${[...graph.opsets].map(([d, v]) => (d ? `${d}:${v}` : v)).join(" ")}`,
    ...graph.inputs.map((i) => `  in ${i.name}: ${formatType(i.type)}`),
    ...[...graph.initializers].map(
      ([n, t]) => `  const ${n}: ${formatType({ dtype: t.dtype, shape: t.dims })}`,
    ),
    ...graph.nodes.map(line),
    `  out ${graph.outputs.map((o) => o.name).join(", ")}`,
  ].join("\n");
}
