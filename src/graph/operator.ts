import type { Dim } from "../base/dims.js";
import type { Tensor } from "../base/tensor.js";
import type { GraphBuilder, Value } from "./builder.js";
import type { InferContext, TypeRules } from "./infer-context.js";
import type { Graph, Node, TensorType } from "./ir.js";

export { InferContext, operatorKey } from "./infer-context.js";

/** Evaluation of one node on actual tensors, in the precision of their element type. */
export interface EvaluateContext {
  readonly node: Node;
  readonly inputs: readonly (Tensor | undefined)[];
  /** Input `i`, which must be there. */
  tensor(i: number): Tensor;
  /** Number of outputs that the node names. */
  readonly outputs: number;
  /** Runs a sub-graph, which sees the values around the node; absent where those are not at hand. */
  readonly run?:
    | ((graph: Graph, feeds: ReadonlyMap<string, Tensor>) => ReadonlyMap<string, Tensor>)
    | undefined;
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
  /** Multiply-accumulates, FLOPs being twice as many; undefined where they cannot be told from the shapes. */
  readonly macs: Dim | undefined;
}

export interface Operator extends TypeRules {
  readonly type: string;
  /** "" (or absent) is ai.onnx. */
  readonly domain?: string;
  /** The operator set in which the form that these rules describe began; older nodes are first brought up to it. */
  readonly since: number;
  /** Reference arithmetic: constant folding, and float64 in tests. */
  readonly evaluate: (ctx: EvaluateContext) => readonly Tensor[];
  /** MACs of one node, or "uncounted" (which is listed, never taken for 0). */
  readonly cost: (ctx: InferContext, outputs: readonly (TensorType | undefined)[]) => Cost;
  readonly grad: GradRule | NoGradient;
  /** Inputs that are no weights even where they are floats (running statistics, bounds, scales of an image). */
  readonly settings?: readonly number[];
  /** Inputs that are weights even where they are integers (quantised). */
  readonly weights?: readonly number[];
  /** Brings a node from operator set `from` (< 18) to the form that the rules describe. */
  readonly upgrade?: (node: Node, from: number, make: UpgradeContext) => Node | readonly Node[];
  /**
   * Brings a node to the form of operator set `to` (11 or newer), where that is not the form that the rules describe.
   * Without it, and without `older`, nodes are written in sets from `since` on only.
   */
  readonly downgrade?: (node: Node, to: number, make: DowngradeContext) => Node | readonly Node[];
  /** For sets `to` in which the operator (or this use of it) does not exist: older operators that say the same. */
  readonly older?: (ctx: GradContext, to: number) => readonly Value[] | undefined;
  /** Names that it had, and how a node of that name is brought over. */
  readonly formerly?: Readonly<Record<string, (node: Node, make: UpgradeContext) => Node>>;
  /** For operators of our own domain: the standard operators that the engine runs instead. */
  readonly lower?: (ctx: GradContext) => readonly Value[];
}

export interface UpgradeContext {
  /** A new constant (int64 vector), by name. */
  ints(values: readonly number[]): string;
  /** A new scalar constant of the element type of value `like`. */
  scalarLike(value: number, like: string): string;
  /** Any new constant. */
  constant(tensor: Tensor): string;
  /** A name that no value has yet. */
  fresh(hint: string): string;
  /** The type of a value, where known. */
  type(name: string): TensorType | undefined;
}

export interface DowngradeContext extends UpgradeContext {
  /** The contents of a constant. */
  known(name: string): Tensor | undefined;
  /** The error that says which set (or what else) the node would need. */
  cannot(need: string): Error;
}

export type OperatorTable = ReadonlyMap<string, Operator>;

export const free = (): Cost => ({ macs: 0 });
