import type { Shape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { InferContext } from "./infer-context.js";
import type { Node, TensorType } from "./ir.js";
import { Names } from "./names.js";

/** What is known of the values of a graph under construction: that they are there, their types, their contents. */
export class KnownValues {
  readonly names = new Names();
  readonly initializers = new Map<string, Tensor>();
  readonly #types = new Map<string, TensorType>();
  readonly #partial = new Map<string, Shape>();
  readonly #outer: KnownValues | undefined;

  /** `outer`: of the graph that this one is a sub-graph of, whose values it sees. */
  constructor(outer?: KnownValues) {
    this.#outer = outer;
  }

  has(name: string): boolean {
    return this.#types.has(name) || this.names.has(name);
  }

  /** A new value; nothing may have made it yet. */
  declare(name: string, type: TensorType | undefined): void {
    if (type && this.#types.has(name)) {
      throw new ScconvError("invalid-graph", `value "${name}" is made twice`);
    }
    this.names.take(name);
    if (type) this.#types.set(name, type);
  }

  /** A constant, under a name that has been taken or is its own. */
  initialize(name: string, tensor: Tensor): void {
    this.names.take(name);
    this.#types.set(name, { dtype: tensor.dtype, shape: tensor.dims });
    this.initializers.set(name, tensor);
  }

  typeOf(name: string): TensorType {
    const t = this.#types.get(name);
    if (!t) throw new ScconvError("invalid-graph", `value "${name}" has no known type`);
    return t;
  }

  /** Also of the graphs around, unless a value of this one has the name; undefined where nothing is known. */
  typeIfKnown(name: string): TensorType | undefined {
    return this.#types.get(name) ?? (this.names.has(name) ? undefined : this.#outer?.typeIfKnown(name));
  }

  constantOf(name: string): Tensor | undefined {
    return this.initializers.get(name) ?? (this.names.has(name) ? undefined : this.#outer?.constantOf(name));
  }

  /** Integer contents, as far as known (see shape inference). */
  notePartial(name: string, contents: Shape): void {
    this.#partial.set(name, contents);
  }

  /** What an operator's rules see of a node's inputs. */
  contextOf(node: Node, subgraph: InferContext["subgraph"]): InferContext {
    return new InferContext(
      node,
      node.inputs.map((n) => (n === "" ? undefined : this.typeIfKnown(n))),
      node.inputs.map((n) => this.constantOf(n)),
      node.inputs.map((n) => this.#partial.get(n)),
      subgraph,
    );
  }
}
