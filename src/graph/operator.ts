import type { Dim, Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import type { GraphBuilder, Value } from "./builder.js";
import { type Node, nodeLabel, type TensorType } from "./ir.js";

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
    return c ? Array.from(c.numbers()) : this.partial[i];
  }

  /** Integers of input `i` when all of them are known. */
  knownInts(i: number): readonly number[] | undefined {
    const v = this.ints(i);
    return v?.every((d) => typeof d === "number") ? (v as readonly number[]) : undefined;
  }

  error(what: string, facts: { got?: string; need?: string; hint?: string } = {}): ScconvError {
    return new ScconvError("shape", what, { where: nodeLabel(this.node), ...facts });
  }
}

/** Evaluation of one node on actual tensors, in the precision of their element type. */
export interface EvaluateContext {
  readonly node: Node;
  readonly inputs: readonly (Tensor | undefined)[];
  /** Input `i`, which must be there. */
  tensor(i: number): Tensor;
  /** Number of outputs that the node names. */
  readonly outputs: number;
}

/** What a derivative rule sees: values in the graph under construction. */
export interface GradContext {
  readonly b: GraphBuilder;
  readonly node: Node;
  /** Inputs of the forward node; undefined where left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  /** Gradients of the outputs; undefined where nothing depends on that output. */
  readonly upstream: readonly (Value | undefined)[];
  /** Input `i`, which must be there. */
  x(i: number): Value;
  /** Output `i` of the forward node. */
  y(i?: number): Value;
  /** Gradient of output `i`, which must be there. */
  dy(i?: number): Value;
  /** Several rules share a term (the same masked dy, say): made once, by name. */
  shared(key: string, make: () => Value): Value;
}

/** No derivative, and why: an error where one is asked for, unless it is zero (almost) everywhere. */
export interface NoGradient {
  readonly none: string;
  readonly zero: boolean;
}
/** Cannot be differentiated (or nobody wrote it down): asking for it is an error. */
export const none = (why: string): NoGradient => ({ none: why, zero: false });
/** The derivative is zero wherever it exists: nothing flows, and that is right. */
export const zero = (why: string): NoGradient => ({ none: why, zero: true });

/**
 * One thunk per input: the gradient of the loss with respect to it, in the input's shape or in one that broadcasting
 * made of it (the walk sums the rest away). Only those that are needed are called.
 */
export type GradRule = (ctx: GradContext) => readonly ((() => Value) | NoGradient | undefined)[];

export interface Cost {
  /** Multiply-accumulates. FLOPs = 2 × MACs. */
  readonly macs: Dim;
}

export interface Operator {
  readonly type: string;
  /** "" (or absent) is ai.onnx. */
  readonly domain?: string;
  /** The operator set in which the form that these rules describe began; older nodes are first brought up to it. */
  readonly since: number;
  readonly infer: (ctx: InferContext) => readonly (TensorType | undefined)[];
  /** Reference arithmetic: constant folding, and float64 in tests. */
  readonly evaluate: (ctx: EvaluateContext) => readonly Tensor[];
  /** MACs of one node, or "uncounted" (which is listed, never taken for 0). */
  readonly cost: (ctx: InferContext, outputs: readonly (TensorType | undefined)[]) => Cost;
  readonly grad: GradRule | NoGradient;
  /** Integer contents of the first output, element by element, as far as they are known without running anything. */
  readonly partial?: (ctx: InferContext) => Shape | undefined;
  /** Inputs that are no weights even where they are floats (running statistics, bounds, scales of an image). */
  readonly settings?: readonly number[];
  /** Brings a node from operator set `from` (< 18) to the form that the rules describe. */
  readonly upgrade?: (node: Node, from: number, make: UpgradeContext) => Node | readonly Node[];
  /** For operators of our own domain: the standard operators that the engine runs instead. */
  readonly lower?: (ctx: GradContext) => readonly Value[];
}

export interface UpgradeContext {
  /** A new constant (int64 vector), by name. */
  ints(values: readonly number[]): string;
  /** A new scalar constant of the element type of value `like`. */
  scalarLike(value: number, like: string): string;
  /** A new boolean scalar. */
  bool(value: boolean): string;
  /** Any new constant. */
  constant(tensor: Tensor): string;
  /** A name that no value has yet. */
  fresh(hint: string): string;
  /** The type of a value, where known. */
  type(name: string): TensorType | undefined;
}

export type OperatorTable = ReadonlyMap<string, Operator>;

/** Key into the table. */
export const operatorKey = (op: string, domain = ""): string =>
  domain === "" || domain === "ai.onnx" ? op : `${domain}.${op}`;

export const free = (): Cost => ({ macs: 0 });
