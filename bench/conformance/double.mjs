// A graph in float64 throughout: for central differences.
import { dtypes } from "../../dist/base/dtype.js";
import { Tensor } from "../../dist/index.js";

const floats = new Set(["float16", "bfloat16", "float32"]);
const codes = new Set([...floats].map((name) => dtypes[name].code));
export const wide = (tensor) => (tensor && floats.has(tensor.dtype) ? tensor.cast("float64") : tensor);

/** Attributes that name an element type. */
const typeAttributes = new Set(["to", "dtype", "output_datatype"]);

function attribute(name, a) {
  if (a.kind === "tensor") return [name, { kind: "tensor", value: wide(a.value) }];
  if (a.kind === "graph") return [name, { kind: "graph", value: doubleGraph(a.value) }];
  if (a.kind === "int" && typeAttributes.has(name) && codes.has(a.value)) {
    return [name, { kind: "int", value: dtypes.float64.code }];
  }
  if (name === "value_float") return ["value", { kind: "tensor", value: Tensor.scalar("float64", a.value) }];
  if (name === "value_floats") {
    return ["value", { kind: "tensor", value: Tensor.from("float64", [a.value.length], a.value) }];
  }
  return [name, a];
}

const type = (t) => t && (floats.has(t.dtype) ? { ...t, dtype: "float64" } : t);
const info = (v) => ({ ...v, type: type(v.type) });

export const doubleGraph = (graph) => ({
  ...graph,
  nodes: graph.nodes.map((n) => ({
    ...n,
    attributes: new Map([...n.attributes].map(([name, a]) => attribute(name, a))),
  })),
  inputs: graph.inputs.map(info),
  outputs: graph.outputs.map((o) => ({ ...o, type: undefined })),
  types: new Map(),
  initializers: new Map([...graph.initializers].map(([name, t]) => [name, wide(t)])),
});
