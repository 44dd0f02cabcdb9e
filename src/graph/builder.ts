import { isStatic, type Shape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import { Tensor } from "../base/tensor.js";
import { type InferContext, operatorKey, type TypeRules } from "./infer-context.js";
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
import { KnownValues } from "./known-values.js";

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
  readonly #values: KnownValues;
  readonly #scalars = new Map<string, Value>();
  readonly #from: Graph | undefined;

  constructor(operators: ReadonlyMap<string, TypeRules>, { from, opsets, name, outer }: BuilderOptions = {}) {
    this.operators = operators;
    this.#values = new KnownValues(outer ? outer.#values : undefined);
    this.#from = from;
    this.name = name ?? from?.name ?? "graph";
    this.opsets = opsets ?? from?.opsets ?? new Map([["", CANONICAL_OPSET]]);
    if (!from) return;
    this.#inputs = [...from.inputs];
    for (const info of from.inputs) this.#values.declare(info.name, info.type);
    for (const [n, t] of from.initializers) this.#values.initialize(n, t);
    for (const node of from.nodes) this.append(node, from.types);
    this.#outputs = [...from.outputs];
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get initializers(): ReadonlyMap<string, Tensor> {
    return this.#values.initializers;
  }

  value(name: string): Value {
    return new Value(this, name);
  }
  has(name: string): boolean {
    return this.#values.has(name);
  }
  typeOf(name: string): TensorType {
    return this.#values.typeOf(name);
  }
  /** The type of a value, or undefined where nothing is known of it. */
  typeIfKnown(name: string): TensorType | undefined {
    return this.#values.typeIfKnown(name);
  }
  constantOf(name: string): Tensor | undefined {
    return this.#values.constantOf(name);
  }

  /** Keeps `name` from being given to something new: a node that comes later makes it. */
  reserve(name: string): void {
    this.#values.names.take(name);
  }

  /** Names made inside `body` start with `name.`. */
  scope<T>(name: string, body: () => T): T {
    return this.#values.names.within(name, body);
  }

  /** `name` under the current scope; exact, not made unique. */
  scoped(name: string): string {
    return this.#values.names.scoped(name);
  }

  /** A name under the current scope that nothing has yet. */
  fresh(hint: string): string {
    return this.#values.names.fresh(hint);
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    this.#inputs.push({ name, type: { dtype, shape } });
    this.#values.declare(name, { dtype, shape });
    return this.value(name);
  }

  /** A named weight: an initializer under the current scope. */
  parameter(name: string, tensor: Tensor): Value {
    return this.initializer(this.scoped(name), tensor);
  }

  /** An initializer with exactly this name. */
  initializer(name: string, tensor: Tensor): Value {
    this.#values.declare(name, { dtype: tensor.dtype, shape: tensor.dims });
    this.#values.initialize(name, tensor);
    return this.value(name);
  }

  /** A constant with a name of the builder's choice. */
  constant(tensor: Tensor, hint = "const"): Value {
    const name = this.fresh(hint);
    this.#values.initialize(name, tensor);
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
      v = this.#values.names.atTop(() => this.constant(make(), `k_${key.replace(/[^\w.-]+/g, "_")}`));
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
            this.#values.names.atTop(() => this.fresh(i === 0 ? `${name}.out` : `${name}.out${i}`)),
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
        if (n !== "") this.#values.declare(n, refine(types[i], known?.get(n)));
      });
      const contents = inferContents(operator, ctx);
      if (contents && node.outputs[0]) this.#values.notePartial(node.outputs[0], contents);
    } else if (known) {
      for (const n of node.outputs) if (n !== "") this.#values.declare(n, known.get(n));
    } else {
      throw new ScconvError("unsupported", `no rules for operator ${operatorKey(node.op, node.domain)}`, {
        where: nodeLabel(node),
      });
    }
    this.#values.names.take(node.name);
    this.#nodes.push(node);
  }

  contextOf(node: Node): InferContext {
    return this.#values.contextOf(node, (graph, inputs) => this.#subgraphTypes(graph, inputs));
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

  /** Makes `value` a graph output; under another name by way of an Identity. */
  output(value: Value, name?: string): Value {
    const v =
      name === undefined || name === value.name ? value : this.add("Identity", [value], {}, { output: name });
    this.#outputs.push({ name: v.name, type: this.typeIfKnown(v.name) });
    return v;
  }

  build(): Graph {
    const edge = new Set([...this.#inputs, ...this.#outputs].map((v) => v.name));
    const types = new Map<string, TensorType>();
    for (const node of this.#nodes) {
      for (const n of node.outputs) {
        const t = this.typeIfKnown(n);
        if (t && !edge.has(n)) types.set(n, t);
      }
    }
    return {
      name: this.name,
      nodes: this.#nodes.slice(),
      inputs: this.#inputs.slice(),
      outputs: this.#outputs.slice(),
      initializers: new Map(this.initializers),
      types,
      opsets: this.opsets,
      doc: this.#from?.doc,
      origin: this.#from?.origin,
    };
  }
}
