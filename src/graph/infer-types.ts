import { formatShape, type Shape } from "../base/dims.js";
import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import type { InferContext, TypeRules } from "./infer-context.js";
import { nodeLabel, type TensorType } from "./ir.js";
import { limits } from "./limits.js";

/**
 * What a node's outputs are, by its operator's rule. Sizes that cannot be, or that would need more memory than any machine
 * should give for one value, are refused here: before anything is computed or an engine sees the graph. Rules are written
 * for nodes that make sense; what breaks one becomes an error that names the node.
 */
export function inferTypes(operator: TypeRules, ctx: InferContext): readonly (TensorType | undefined)[] {
  let types: readonly (TensorType | undefined)[];
  try {
    types = operator.infer(ctx);
  } catch (cause) {
    throw nonsense(ctx, cause);
  }
  for (const type of types) checkSize(type, "its output", () => nodeLabel(ctx.node));
  return types;
}

/** Integer contents of the first output, as far as they are known without running anything. */
export function inferContents(operator: TypeRules, ctx: InferContext): Shape | undefined {
  try {
    return operator.partial?.(ctx);
  } catch (cause) {
    throw nonsense(ctx, cause);
  }
}

/** Bytes of a value, as far as its sizes are known: sizes that are not count as 1. */
export function knownBytes({ dtype, shape }: TensorType): number {
  let bytes: number = dtypes[dtype].bytes;
  for (const d of shape ?? []) if (typeof d === "number") bytes *= d;
  return bytes;
}

/** Throws where a value of this type cannot be, or is larger than `limits` allow; `what` and `place` name it. */
export function checkSize(type: TensorType | undefined, what: string, place: () => string): void {
  if (!type?.shape) return;
  const { dtype, shape } = type;
  if (shape.length > limits.rank) {
    throw new ScconvError("shape", `${what} has too many dimensions`, {
      where: place(),
      need: `at most ${limits.rank}`,
      got: `${shape.length}`,
    });
  }
  let bytes: number = dtypes[dtype].bytes;
  for (const d of shape) {
    if (typeof d !== "number") continue;
    if (!Number.isSafeInteger(d) || d < 0) {
      throw new ScconvError("shape", `${what} has a size that cannot be`, {
        where: place(),
        got: formatShape(shape),
      });
    }
    // A 0 does not excuse the others: what computes with them would overflow before it comes to the 0.
    bytes *= Math.max(1, d);
  }
  if (bytes > limits.valueBytes) {
    throw new ScconvError("unsupported", `${what} needs more memory than one value may have`, {
      where: place(),
      got: `${dtype}[${formatShape(shape)}], ${inGigabytes(bytes)}`,
      need: `at most ${inGigabytes(limits.valueBytes)}`,
    });
  }
}

export const inGigabytes = (bytes: number): string => `${Number((bytes / 1e9).toPrecision(3))} GB`;

function nonsense(ctx: InferContext, cause: unknown): ScconvError {
  if (cause instanceof ScconvError) return cause;
  return new ScconvError("invalid-graph", `its inputs or attributes make no sense for ${ctx.node.op}`, {
    where: nodeLabel(ctx.node),
    cause,
  });
}

/** What a rule inferred, completed by what was declared where the rule knows nothing. */
export function refine(
  inferred: TensorType | undefined,
  declared: TensorType | undefined,
): TensorType | undefined {
  if (!inferred || !declared || inferred.dtype !== declared.dtype) return inferred ?? declared;
  const { shape } = inferred;
  if (!shape || declared.shape?.length !== shape.length) return shape ? inferred : declared;
  const unnamed = (d: string | number) => typeof d === "string" && d.startsWith("?");
  return {
    dtype: inferred.dtype,
    shape: shape.map((d, i) => (unnamed(d) && !unnamed(declared.shape![i]!) ? declared.shape![i]! : d)),
  };
}
