import { ScconvError } from "../base/errors.js";

/** What ONNX Runtime throws, in one line, whichever of its builds threw it. */
export function engineError(what: string, cause: unknown): ScconvError {
  return new ScconvError("engine", what, { got: textOf(cause), cause });
}

function textOf(cause: unknown): string | undefined {
  // WebAssembly throws C++ exceptions as their address: what they say cannot be read any more, memory is the usual reason.
  if (typeof cause === "number") return "an exception inside WebAssembly (out of memory?)";
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split("\n")[0]?.slice(0, 400);
}
