import type { Shape } from "../base/dims.js";
import { dtypes } from "../base/dtype.js";
import { ScconvError } from "../base/errors.js";
import type { Tensor } from "../base/tensor.js";
import { checkSize, inferContents, inferTypes, inGigabytes, knownBytes } from "./infer-types.js";
import { type Graph, type Node, nodeLabel, type TensorType } from "./ir.js";
import { limits } from "./limits.js";
import { InferContext, type OperatorTable, operatorKey } from "./operator.js";

const bad = (what: string, where?: string) => new ScconvError("invalid-graph", what, { where });

/**
 * What an engine would compute before the first run, because it depends on constants alone: bounded together, since a
 * handful of numbers can ask for any number of large values.
 */
class ConstantBudget {
  #left: number = limits.constantBytes;

  /** Weights may grow: 8 bits to 32, and more than once on the way. */
  grant(tensor: Tensor): void {
    this.#left += 8 * tensor.size * dtypes[tensor.dtype].bytes;
  }
  spend(node: Node, types: readonly (TensorType | undefined)[]): void {
    for (const type of types) if (type) this.#left -= knownBytes(type);
    if (this.#left >= 0) return;
    throw new ScconvError("unsupported", "what depends on constants alone needs too much memory", {
      where: nodeLabel(node),
      need: `at most ${inGigabytes(limits.constantBytes)}, and eight times the weights`,
    });
  }
}

/** What a graph's nodes see: its own values, then those of the graphs around it. */
class Scope {
  readonly made = new Set<string>();
  readonly types = new Map<string, TensorType>();
  readonly contents = new Map<string, Shape>();
  /** Made from constants only. */
  readonly constant = new Set<string>();
  readonly #constants: ReadonlyMap<string, Tensor>;
  readonly #outer: Scope | undefined;

  constructor(constants: ReadonlyMap<string, Tensor>, outer: Scope | undefined) {
    this.#constants = constants;
    this.#outer = outer;
  }

  /** The innermost scope that makes `name`. */
  #of(name: string): Scope | undefined {
    for (let scope: Scope | undefined = this; scope; scope = scope.#outer)
      if (scope.made.has(name)) return scope;
    return undefined;
  }
  sees(name: string): boolean {
    return this.#of(name) !== undefined;
  }
  isConstant(name: string): boolean {
    return this.#of(name)?.constant.has(name) ?? false;
  }
  context(node: Node): InferContext {
    const scopes = node.inputs.map((n) => (n === "" ? undefined : this.#of(n)));
    const from = <T>(pick: (scope: Scope, name: string) => T) =>
      node.inputs.map((n, i) => scopes[i] && pick(scopes[i], n));
    return new InferContext(
      node,
      from((s, n) => s.types.get(n)),
      from((s, n) => s.#constants.get(n)),
      from((s, n) => s.contents.get(n)),
    );
  }
}

/**
 * Checks that a graph is well formed: every value made once and before it is read, every output made, declared types
 * equal to inferred ones, no value larger than `limits` allow; sub-graphs too. Throws a ScconvError that names the node.
 * Runs on every file before the engine sees it, and after every pass in tests.
 */
export function verify(graph: Graph, operators: OperatorTable): void {
  verifyIn(graph, { operators, budget: new ConstantBudget() }, undefined);
}

interface Rules {
  readonly operators: OperatorTable;
  readonly budget: ConstantBudget;
}

function verifyIn(graph: Graph, rules: Rules, outer: Scope | undefined): void {
  const scope = new Scope(graph.initializers, outer);
  const make = (name: string, where: string) => {
    if (scope.made.has(name)) throw bad(`value "${name}" is made twice`, where);
    scope.made.add(name);
  };
  for (const i of graph.inputs) {
    make(i.name, "graph input");
  }
  // ONNX before IR 4 lists initializers among the inputs; both then name one value.
  for (const name of graph.initializers.keys()) scope.made.add(name);
  for (const [name, type] of graph.types) scope.types.set(name, type);
  for (const info of [...graph.inputs, ...graph.outputs])
    if (info.type) scope.types.set(info.name, info.type);
  for (const [name, type] of scope.types) checkSize(type, "it", () => `value "${name}"`);
  for (const [n, t] of graph.initializers) {
    scope.types.set(n, { dtype: t.dtype, shape: t.dims });
    scope.constant.add(n);
    rules.budget.grant(t);
  }

  for (const node of graph.nodes) {
    for (const name of node.inputs) {
      if (name !== "" && !scope.sees(name)) {
        throw bad(`reads "${name}", which nothing before it makes`, nodeLabel(node));
      }
    }
    for (const a of node.attributes.values()) if (a.kind === "graph") verifyIn(a.value, rules, scope);
    for (const out of node.outputs) if (out !== "") make(out, nodeLabel(node));
    try {
      verifyTypes(node, rules, scope);
    } catch (error) {
      // A branch that is not taken may contradict the sizes that there are.
      if (!(outer && error instanceof ScconvError && error.code === "shape")) throw error;
    }
  }
  for (const o of graph.outputs) {
    if (!scope.sees(o.name)) throw bad(`graph output "${o.name}" is made by nothing`);
  }
}

function verifyTypes(node: Node, { operators, budget }: Rules, scope: Scope): void {
  const constant = node.inputs.every((n) => n === "" || scope.isConstant(n));
  if (constant) for (const out of node.outputs) scope.constant.add(out);
  const operator = operators.get(operatorKey(node.op, node.domain));
  if (!operator) return;
  const ctx = scope.context(node);
  if (!node.inputs.every((n, i) => n === "" || ctx.inputs[i])) return;
  const inferred = inferTypes(operator, ctx);
  if (constant) budget.spend(node, inferred);
  node.outputs.forEach((out, i) => {
    const found = inferred[i];
    if (out === "" || !found) return;
    const declared = scope.types.get(out);
    if (!declared) scope.types.set(out, found);
    else if (clash(declared, found)) {
      const show = (t: TensorType) => `${t.dtype}[${t.shape?.join("×") ?? "?"}]`;
      throw new ScconvError("invalid-graph", `output "${out}" is declared with another type`, {
        where: nodeLabel(node),
        need: show(found),
        got: show(declared),
      });
    }
  });
  const contents = inferContents(operator, ctx);
  if (contents && node.outputs[0]) scope.contents.set(node.outputs[0], contents);
}

function clash(declared: TensorType, found: TensorType): boolean {
  if (declared.dtype !== found.dtype) return true;
  if (!declared.shape || !found.shape) return false;
  return (
    declared.shape.length !== found.shape.length ||
    declared.shape.some((d, k) => {
      const f = found.shape![k];
      return typeof d === "number" && typeof f === "number" && d !== f;
    })
  );
}
