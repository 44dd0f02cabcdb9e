import type { Dim, Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import type { Tensor } from "../base/tensor.js";

/**
 * The only intermediate form: an ONNX graph. Values are names; every value is made once (SSA): by an input, an
 * initializer or one node output. `origin` is what the codec read a thing from, so that fields which we do not model
 * survive a round trip; it travels with `{ ...node }`.
 */
export interface TensorType {
  readonly dtype: DType;
  /** Undefined: the rank is not known. */
  readonly shape: Shape | undefined;
}

export interface ValueInfo {
  readonly name: string;
  /** Undefined for what is not a dense tensor (sequences, maps, strings). */
  readonly type: TensorType | undefined;
  readonly doc?: string | undefined;
  readonly origin?: object | undefined;
}

export type AttributeValue =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  /** Anything else (graphs, sparse tensors, types, references inside functions): carried, not understood. */
  | { readonly kind: "other"; readonly value: undefined };

export type Attribute = AttributeValue & { readonly origin?: object | undefined };

export interface Node {
  readonly op: string;
  /** "" is ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /** "" is an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly doc?: string | undefined;
  readonly origin?: object | undefined;
}

export interface Graph {
  readonly name: string;
  /** In topological order. */
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Known types of values that are neither inputs nor outputs. */
  readonly types: ReadonlyMap<string, TensorType>;
  /** Operator set version by domain; "" is ai.onnx. Sub-graphs inherit their parent's. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly doc?: string | undefined;
  readonly origin?: object | undefined;
}

export interface Model {
  readonly graph: Graph;
  readonly irVersion: number;
  readonly producer: { readonly name: string; readonly version: string };
  /** `metadata_props`. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly doc?: string | undefined;
  readonly origin?: object | undefined;
}

export const opsetOf = (graph: Graph): number => graph.opsets.get("") ?? 0;

/** `Conv "layer1.0.conv2"`, for messages. */
export const nodeLabel = (node: Node): string =>
  `${clip(node.op)} "${clip(node.name || node.outputs[0] || "?")}"`;
const clip = (name: string): string => (name.length > 200 ? `${name.slice(0, 200)}…` : name);

/** The attribute's value, or `fallback` where it is absent. */
export function intAttr(node: Node, name: string, fallback: number): number {
  const a = node.attributes.get(name);
  return a?.kind === "int" ? a.value : fallback;
}
export function floatAttr(node: Node, name: string, fallback: number): number {
  const a = node.attributes.get(name);
  return a?.kind === "float" || a?.kind === "int" ? a.value : fallback;
}
export function stringAttr(node: Node, name: string, fallback: string): string {
  const a = node.attributes.get(name);
  return a?.kind === "string" ? a.value : fallback;
}
export function intsAttr(node: Node, name: string): readonly number[] | undefined {
  const a = node.attributes.get(name);
  return a?.kind === "ints" ? a.value : undefined;
}
export function tensorAttr(node: Node, name: string): Tensor | undefined {
  const a = node.attributes.get(name);
  return a?.kind === "tensor" ? a.value : undefined;
}

/** Attributes in the builder's short form: integers are `int`, strings `string`, arrays of integers `ints`; floats say so. */
export type AttributeInput = number | string | readonly number[] | Tensor | AttributeValue | undefined;
export const float = (value: number): AttributeValue => ({ kind: "float", value });
export const floats = (value: readonly number[]): AttributeValue => ({ kind: "floats", value });

export function attributesFrom(record: Readonly<Record<string, AttributeInput>>): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, v] of Object.entries(record)) {
    if (v === undefined) continue;
    if (typeof v === "number") map.set(name, { kind: "int", value: v });
    else if (typeof v === "string") map.set(name, { kind: "string", value: v });
    else if (Array.isArray(v)) map.set(name, { kind: "ints", value: v as number[] });
    else if ("kind" in v) map.set(name, v as AttributeValue);
    else map.set(name, { kind: "tensor", value: v as Tensor });
  }
  return map;
}

export type { Dim, Shape };
