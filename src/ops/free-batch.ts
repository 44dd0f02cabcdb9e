import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { type Graph, intAttr, type TensorType } from "../graph/ir.js";
import { foldConstants } from "./fold.js";
import { inferShapes } from "./infer.js";
import { rebuild } from "./rebuild.js";
import { upgrade } from "./upgrade.js";

/**
 * A graph that its exporter fixed to one batch size, with the batch left open (`N`) in inputs and outputs; a Reshape that
 * names the batch by number takes it from its input instead. Undefined where the batch is worked into the graph in a way
 * that this does not undo: outputs that do not follow it.
 */
export function freeBatch(graph: Graph): Graph | undefined {
  const fixed = foldConstants(upgrade(graph));
  const batch = fixed.inputs.find((i) => !fixed.initializers.has(i.name))?.type?.shape?.[0];
  if (typeof batch !== "number") return graph;
  const open = (type: TensorType | undefined): TensorType | undefined =>
    type?.shape?.[0] === batch ? { ...type, shape: ["N", ...type.shape.slice(1)] } : type;
  const firstSize = new Map([...fixed.types].map(([name, t]) => [name, t.shape?.[0]]));
  for (const i of fixed.inputs) firstSize.set(i.name, i.type?.shape?.[0]);
  try {
    const unbound: Graph = {
      ...fixed,
      inputs: fixed.inputs.map((i) => (fixed.initializers.has(i.name) ? i : { ...i, type: open(i.type) })),
      types: new Map(),
    };
    const { graph: freed } = rebuild({ ...unbound, outputs: fixed.outputs }, (node, inputs, b) => {
      const target = inputs[1]?.constant;
      if (node.op !== "Reshape" || !target || firstSize.get(node.inputs[0]!) !== batch) return undefined;
      const sizes = Array.from(target.numbers());
      if (sizes[0] !== batch || intAttr(node, "allowzero", 0) === 1) return undefined;
      const shape = b.constant(Tensor.from("int64", [sizes.length], [0, ...sizes.slice(1)]), "open_batch");
      return [b.add("Reshape", [inputs[0], shape], {}, { name: node.name })];
    });
    const result = inferShapes({ ...freed, outputs: freed.outputs.map((o) => ({ ...o, type: undefined })) });
    return result.outputs.every((o) => o.type?.shape?.[0] === "N") ? result : undefined;
  } catch (error) {
    // A shape that no longer fits is how a batch that is worked in shows itself.
    if (error instanceof ScconvError) return undefined;
    throw error;
  }
}
