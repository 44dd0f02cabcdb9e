import { type Dim, type Shape, unknownDim } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { type Graph, type Node, nodeLabel, type TensorType } from "./ir.js";
import { limits } from "./limits.js";

/** What is known of a node's inputs when its output types are asked for. */
export class InferContext {
  constructor(
    readonly node: Node,
    /** Undefined: left out, or of a type that we do not hold. */
    readonly inputs: readonly (TensorType | undefined)[],
    /** Contents of inputs that are constant. */
    readonly constants: readonly (Tensor | undefined)[],
    /** Contents of small integer inputs of which only some elements are known (from Shape of a symbolic shape). */
    readonly partial: readonly (Shape | undefined)[] = [],
    /** What the outputs of a sub-graph are, given its inputs; it sees the values around the node. */
    readonly subgraph?: (
      graph: Graph,
      inputs: readonly (TensorType | undefined)[],
    ) => readonly (TensorType | undefined)[],
  ) {}

  /** The type of input `i`, which must be there. */
  type(i: number): TensorType {
    const t = this.inputs[i];
    if (!t) throw this.error(`input ${i} is missing or has no tensor type`);
    return t;
  }

  dtype(i: number): DType {
    return this.type(i).dtype;
  }

  /** The shape of input `i`, or undefined where the rank is unknown. */
  shape(i: number): Shape | undefined {
    return this.type(i).shape;
  }

  /** Integers of a constant (or partly known) input; undefined when not constant; symbols where only partly known. */
  ints(i: number): Shape | undefined {
    const c = this.constants[i];
    // Longer ones are data, not sizes or axes, and are not copied.
    if (c && c.size > 2 * limits.rank) return undefined;
    return c ? Array.from(c.numbers()) : this.partial[i];
  }

  /** Integers of input `i` when all of them are known. */
  knownInts(i: number): readonly number[] | undefined {
    const v = this.ints(i);
    return v?.every((d) => typeof d === "number") ? (v as readonly number[]) : undefined;
  }

  /** A shape of which the rank alone may be known; it may come from a file. */
  openShape(rank: Dim | undefined): Shape | undefined {
    if (typeof rank !== "number") return undefined;
    if (rank <= limits.rank) return Array.from({ length: rank }, unknownDim);
    throw this.error("its output has too many dimensions", {
      need: `at most ${limits.rank}`,
      got: `${rank}`,
    });
  }

  error(what: string, facts: { got?: string; need?: string; hint?: string } = {}): ScconvError {
    return new ScconvError("shape", what, { where: nodeLabel(this.node), ...facts });
  }
}

/** The part of an operator that building a graph needs: what its outputs are. */
export interface TypeRules {
  readonly infer: (ctx: InferContext) => readonly (TensorType | undefined)[];
  /** Integer contents of the first output, element by element, as far as they are known without running anything. */
  readonly partial?: (ctx: InferContext) => Shape | undefined;
}

/** Key into the table. */
export const operatorKey = (op: string, domain = ""): string =>
  domain === "" || domain === "ai.onnx" ? op : `${domain}.${op}`;
