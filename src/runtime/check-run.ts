import { ScconvError } from "../base/errors.js";
import type { NamedTensors } from "./session.js";

/**
 * What an engine is asked for, before it is: element types that its interface to JavaScript has (else `unsupported`), and results
 * that the graph has (else `engine`), because ONNX Runtime on Node takes unknown names for none at all.
 */
export function checkRun(
  outputs: readonly string[],
  feeds: NamedTensors,
  fetches: NamedTensors = new Map(),
): void {
  for (const tensors of [feeds, fetches]) {
    for (const { dtype } of tensors.values()) {
      if (dtype !== "bfloat16") continue;
      throw new ScconvError("unsupported", `the engine's interface takes no ${dtype} tensors`);
    }
  }
  for (const name of fetches.keys()) {
    if (outputs.includes(name)) continue;
    throw new ScconvError("engine", "the graph has no such output", { got: `"${name}"` });
  }
}
