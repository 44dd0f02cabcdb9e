import { isStatic, type Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { InferContext, operatorKey, type TypeRules } from "./infer-context.js";
import { inferContents, inferTypes, refine } from "./infer-types.js";
import {
  type AttributeInput,
  attributesFrom,
  type Graph,
  type Node,
  nodeLabel,
  type TensorType,
  type ValueInfo,
} from "./ir.js";
import { Names } from "./names.js";

/** The operator set that new graphs are written in. */
export const CANONICAL_OPSET = 18;

/** A value of a graph under construction. */
export class Value {
  constructor(
    readonly builder: GraphBuilder,
    readonly name: string,
  ) {}

  get type(): TensorType {
    return this.builder.typeOf(this.name);
  }
  get dtype(): DType {
    return this.type.dtype;
  }
  /** The shape; its rank must be known. */
  get shape(): Shape {
    const { shape } = this.type;
    if (!shape) throw new ScconvError("shape", `the rank of value "${this.name}" is not known`);
    return shape;
  }
  get rank(): number {
    return this.shape.length;
  }
  /** The shape, when all sizes are numbers. */
  get dims(): readonly number[] {
    const { shape } = this;
    if (!isStatic(shape)) {
      throw new ScconvError("shape", `value "${this.name}" has symbolic sizes`, {
        got: shape.join("×"),
        need: "numbers",
      });
    }
    return shape;
  }
  /** Its contents, when constant. */
  get constant(): Tensor | undefined {
    return this.builder.constantOf(this.name);
  }
}

export interface BuilderOptions {
  /** Start from this graph (values, names and all). */
  readonly from?: Graph;
  readonly opsets?: ReadonlyMap<string, number>;
  readonly name?: string;
  /** The graph that this is a sub-graph of, whose values it sees. */
  readonly outer?: GraphBuilder;
}

/** Builds a graph in order; each node's types are inferred as it is added, so a wrong shape fails where it is made. */
export class GraphBuilder {
  readonly operators: ReadonlyMap<string, TypeRules>;
  readonly name: string;
  readonly opsets: ReadonlyMap<string, number>;
  #nodes: Node[] = [];
  #inputs: ValueInfo[] = [];
  #outputs: ValueInfo[] = [];
  #initializers = new Map<string, Tensor>();
  #types = new Map<string, TensorType>();
  #partial = new Map<string, Shape>();
  readonly #names = new Names();
  #scalars = new Map<string, Value>();
  #from: Graph | undefined;
  #outer: GraphBuilder | undefined;

  constructor(operators: ReadonlyMap<string, TypeRules>, { from, opsets, name, outer }: BuilderOptions = {}) {
    this.operators = operators;
    this.#outer = outer;
    this.#from = from;
    this.name = name ?? from?.name ?? "graph";
    this.opsets = opsets ?? from?.opsets ?? new Map([["", CANONICAL_OPSET]]);
    if (!from) return;
    this.#inputs = [...from.inputs];
    this.#initializers = new Map(from.initializers);
    for (const info of from.inputs) this.#declare(info.name, info.type);
    for (const [n, t] of from.initializers) {
      this.#types.set(n, { dtype: t.dtype, shape: t.dims });
      this.#names.take(n);
    }
    for (const node of from.nodes) this.append(node, from.types);
    this.#outputs = [...from.outputs];
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get initializers(): ReadonlyMap<string, Tensor> {
    return this.#initializers;
  }

  value(name: string): Value {
    return new Value(this, name);
  }
  has(name: string): boolean {
    return this.#types.has(name) || this.#names.has(name);
  }
  typeOf(name: string): TensorType {
    const t = this.#types.get(name);
    if (!t) throw new ScconvError("invalid-graph", `value "${name}" has no known type`);
    return t;
  }
  /** The type of a value, or undefined where nothing is known of it. */
  typeIfKnown(name: string): TensorType | undefined {
    return this.#types.get(name) ?? (this.#names.has(name) ? undefined : this.#outer?.typeIfKnown(name));
  }
  /** Keeps `name` from being given to something new: a node that comes later makes it. */
  reserve(name: string): void {
    this.#names.take(name);
  }
  constantOf(name: string): Tensor | undefined {
    return (
      this.#initializers.get(name) ?? (this.#names.has(name) ? undefined : this.#outer?.constantOf(name))
    );
  }

  /** Names made inside `body` start with `name.`. */
  scope<T>(name: string, body: () => T): T {
    return this.#names.within(name, body);
  }

  /** `name` under the current scope; exact, not made unique. */
  scoped(name: string): string {
    return this.#names.scoped(name);
  }

  /** A name under the current scope that nothing has yet. */
  fresh(hint: string): string {
    return this.#names.fresh(hint);
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    this.#inputs.push({ name, type: { dtype, shape } });
    this.#declare(name, { dtype, shape });
    return this.value(name);
  }

  /** A named weight: an initializer under the current scope. */
  parameter(name: string, tensor: Tensor): Value {
    return this.initializer(this.scoped(name), tensor);
  }

  /** An initializer with exactly this name. */
  initializer(name: string, tensor: Tensor): Value {
    this.#declare(name, { dtype: tensor.dtype, shape: tensor.dims });
    this.#initializers.set(name, tensor);
    return this.value(name);
  }

  /** A constant with a name of the builder's choice. */
  constant(tensor: Tensor, hint = "const"): Value {
    const name = this.fresh(hint);
    this.#types.set(name, { dtype: tensor.dtype, shape: tensor.dims });
    this.#initializers.set(name, tensor);
    return this.value(name);
  }

  /** A scalar constant; equal ones are shared. */
  scalar(value: number, dtype: DType = "float32"): Value {
    return this.#shared(`${dtype} ${Object.is(value, -0) ? "-0" : value}`, () => Tensor.scalar(dtype, value));
  }

  /** A vector of int64, as shapes and axes are given; equal ones are shared. */
  ints(values: readonly number[]): Value {
    return this.#shared(`ints ${values.join()}`, () => Tensor.from("int64", [values.length], values));
  }

  #shared(key: string, make: () => Tensor): Value {
    let v = this.#scalars.get(key);
    if (!v) {
      v = this.#names.atTop(() => this.constant(make(), `k_${key.replace(/[^\w.-]+/g, "_")}`));
      this.#scalars.set(key, v);
    }
    return v;
  }

  /** Adds a node with one output. */
  add(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, AttributeInput>> = {},
    options: { name?: string; domain?: string; output?: string } = {},
  ): Value {
    const { output, ...rest } = options;
    return this.addMany(op, inputs, attributes, {
      ...rest,
      outputs: output === undefined ? 1 : [output],
    })[0]!;
  }

  /** Adds a node with several outputs: their number, or their exact names. */
  addMany(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, AttributeInput>>,
    options: { name?: string; domain?: string; outputs: number | readonly string[] },
  ): Value[] {
    const name = this.fresh(options.name ?? op);
    const outputs =
      typeof options.outputs === "number"
        ? Array.from({ length: options.outputs }, (_, i) =>
            this.#names.atTop(() => this.fresh(i === 0 ? `${name}.out` : `${name}.out${i}`)),
          )
        : options.outputs;
    const names = inputs.map((v) => v?.name ?? "");
    while (names.length && names[names.length - 1] === "") names.pop();
    const node: Node = {
      op,
      domain: options.domain ?? "",
      name,
      inputs: names,
      outputs,
      attributes: attributesFrom(attributes),
    };
    this.append(node);
    return outputs.map((n) => this.value(n));
  }

  /** Adds a node as it is, and infers the types of its outputs (or takes those in `known` for operators without rules). */
  append(node: Node, known?: ReadonlyMap<string, TensorType>): void {
    const operator = this.operators.get(operatorKey(node.op, node.domain));
    if (operator && node.inputs.every((n) => n === "" || this.typeIfKnown(n))) {
      const ctx = this.contextOf(node);
      const types = inferTypes(operator, ctx);
      node.outputs.forEach((n, i) => {
        if (n !== "") this.#declare(n, refine(types[i], known?.get(n)));
      });
      const contents = inferContents(operator, ctx);
      if (contents && node.outputs[0]) this.notePartial(node.outputs[0], contents);
    } else if (known) {
      for (const n of node.outputs) if (n !== "") this.#declare(n, known.get(n));
    } else {
      throw new ScconvError("unsupported", `no rules for operator ${operatorKey(node.op, node.domain)}`, {
        where: nodeLabel(node),
      });
    }
    this.#names.take(node.name);
    this.#nodes.push(node);
  }

  contextOf(node: Node): InferContext {
    return new InferContext(
      node,
      node.inputs.map((n) => (n === "" ? undefined : this.typeIfKnown(n))),
      node.inputs.map((n) => this.constantOf(n)),
      node.inputs.map((n) => this.#partial.get(n)),
      (graph, inputs) => this.#subgraphTypes(graph, inputs),
    );
  }

  #subgraphTypes(
    graph: Graph,
    given: readonly (TensorType | undefined)[],
  ): readonly (TensorType | undefined)[] {
    const inputs = graph.inputs.map((info, i) => ({ ...info, type: given[i] ?? info.type }));
    const types = new Map([
      ...graph.types,
      ...graph.outputs.flatMap((o) => (o.type ? [[o.name, o.type] as const] : [])),
    ]);
    const inner = new GraphBuilder(this.operators, {
      from: { ...graph, inputs, types, outputs: [] },
      outer: this,
    });
    return graph.outputs.map((o) => inner.typeIfKnown(o.name) ?? o.type);
  }

  /** Integer contents of a value, as far as known (see shape inference). */
  notePartial(name: string, contents: Shape): void {
    this.#partial.set(name, contents);
  }

  /** Makes `value` a graph output; under another name by way of an Identity. */
  output(value: Value, name?: string): Value {
    const v =
      name === undefined || name === value.name ? value : this.add("Identity", [value], {}, { output: name });
    this.#outputs.push({ name: v.name, type: this.#types.get(v.name) });
    return v;
  }

  build(): Graph {
    const edge = new Set([...this.#inputs, ...this.#outputs].map((v) => v.name));
    const types = new Map<string, TensorType>();
    for (const node of this.#nodes) {
      for (const n of node.outputs) {
        const t = this.#types.get(n);
        if (t && !edge.has(n)) types.set(n, t);
      }
    }
    return {
      name: this.name,
      nodes: this.#nodes.slice(),
      inputs: this.#inputs.slice(),
      outputs: this.#outputs.slice(),
      initializers: new Map(this.#initializers),
      types,
      opsets: this.opsets,
      doc: this.#from?.doc,
      origin: this.#from?.origin,
    };
  }

  #declare(name: string, type: TensorType | undefined): void {
    if (type && this.#types.has(name)) {
      throw new ScconvError("invalid-graph", `value "${name}" is made twice`);
    }
    this.#names.take(name);
    if (type) this.#types.set(name, type);
  }
}
