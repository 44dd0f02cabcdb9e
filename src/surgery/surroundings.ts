import type { Dim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import {
  type AttributeInput,
  attributesFrom,
  type Graph,
  type Node,
  type TensorType,
  type ValueInfo,
} from "../graph/ir.js";
import { namesOf } from "../graph/names.js";
import { consumers, producers, topological } from "../graph/walk.js";

/** Where a convolution's surroundings begin and end, as names of values that a swap leaves alone. */
export interface Borders {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** What stands between convolutions, and is carried along: it is fused with them, or decides the layout that they use. */
const between = new Set([
  ...["Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh"],
  ...["BatchNormalization", "Add", "Mul", "MaxPool", "AveragePool", "Identity"],
]);
/** A block's worth: further away nothing depends on the convolution any more. */
const REACH = 4;

/**
 * The surroundings of a convolution: back to the convolutions that make what it reads, on to those that read what it makes,
 * with everything between. Timing a convolution by itself would leave out what its neighbours pay for the layout that it
 * takes and gives.
 */
export function bordersOf(graph: Graph, node: Node): Borders {
  const makers = producers(graph);
  const readers = consumers(graph);
  const inside = new Set<Node>([node]);
  const isConstant = (name: string) => name === "" || graph.initializers.has(name);

  const back = (name: string, reach: number): void => {
    const made = makers.get(name);
    if (!made || inside.has(made)) return;
    if (made.op === "Conv" && made.domain === "") {
      inside.add(made);
      return;
    }
    if (!between.has(made.op) || reach === 0) return;
    const operands = made.inputs.filter((n) => !isConstant(n));
    inside.add(made);
    // Of a sum, the branch that a convolution makes: the other goes back to the beginning of the network.
    const branch = operands.find((n) => leadsToConvolution(n)) ?? operands[0];
    if (branch) back(branch, reach - 1);
  };
  const leadsToConvolution = (name: string): boolean => {
    let made = makers.get(name);
    if (made?.op === "BatchNormalization") made = makers.get(made.inputs[0]!);
    return made?.op === "Conv";
  };
  const onwards = (name: string, reach: number): void => {
    for (const reader of readers.get(name) ?? []) {
      if (inside.has(reader) || reader.domain !== "") continue;
      if (reader.op === "Conv") inside.add(reader);
      else if (between.has(reader.op) && reach > 0) {
        inside.add(reader);
        onwards(reader.outputs[0]!, reach - 1);
      }
    }
  };
  back(node.inputs[0]!, REACH);
  onwards(node.outputs[0]!, REACH);

  const made = new Set([...inside].flatMap((n) => n.outputs));
  const inputs = new Set([...inside].flatMap((n) => n.inputs).filter((n) => !isConstant(n) && !made.has(n)));
  const read = new Set([...inside].flatMap((n) => n.inputs));
  // What nothing in here reads ends it.
  const outputs = [...inside].flatMap((n) => n.outputs).filter((n) => n !== "" && !read.has(n));
  return { inputs: [...inputs], outputs };
}

/** The part of a graph between borders, as a graph of its own. Sizes must be numbers. */
export function partOf(graph: Graph, { inputs, outputs }: Borders): Graph {
  const makers = producers(graph);
  const nodes = new Set<Node>();
  const stack = [...outputs];
  const given = new Set(inputs);
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const made = makers.get(name);
    if (given.has(name) || !made || nodes.has(made)) continue;
    nodes.add(made);
    stack.push(...made.inputs.filter((n) => n !== ""));
  }
  const typeOf = (name: string): TensorType | undefined =>
    graph.types.get(name) ?? [...graph.inputs, ...graph.outputs].find((v) => v.name === name)?.type;
  const info = (name: string): ValueInfo => {
    const type = typeOf(name);
    if (!type) throw new ScconvError("shape", `the type of value "${name}" is not known`);
    return { name, type };
  };
  const read = new Set([...nodes].flatMap((n) => n.inputs));
  const made = new Set([...nodes].flatMap((n) => n.outputs));
  return {
    name: graph.name,
    nodes: topological([...nodes]),
    inputs: inputs.filter((n) => read.has(n)).map(info),
    outputs: outputs.map(info),
    initializers: new Map([...graph.initializers].filter(([n]) => read.has(n))),
    types: new Map([...graph.types].filter(([n]) => made.has(n) && !outputs.includes(n))),
    opsets: graph.opsets,
  };
}

/**
 * A part as it stands in the network, to be timed. There what it reads, (N, C, H, W), comes in the layout that the engine keeps between convolutions,
 * and what it makes stays in it and in the engine's memory. So each input comes out of a pool of one pixel, which leaves it in that layout; and
 * each output is reduced to (N, C, 1, 1) by mean: handed out it would be reordered into fresh memory, whose pages can cost as much as the part, and
 * never the same twice. Values of the part keep their names.
 */
export function asInNetwork(part: Graph): Graph {
  const names = namesOf(part);
  const types = new Map(part.types);
  const pool = (
    op: string,
    from: string,
    to: string,
    attributes: Record<string, AttributeInput> = {},
  ): Node => ({
    ...{ name: to, op, domain: "", attributes: attributesFrom(attributes) },
    ...{ inputs: [from], outputs: [to] },
  });
  const [entries, exits]: [Node[], Node[]] = [[], []];
  const inputs = part.inputs.map((input) => {
    const { name, type } = input;
    if (!isImages(type)) return input;
    const outside = names.fresh(`${name}.outside`);
    entries.push(pool("MaxPool", outside, name, { kernel_shape: [1, 1] }));
    types.set(name, type);
    return { name: outside, type };
  });
  const outputs = part.outputs.map((output) => {
    const { name, type } = output;
    if (!isImages(type)) return output;
    const mean = names.fresh(`${name}.mean`);
    exits.push(pool("GlobalAveragePool", name, mean));
    types.set(name, type);
    const [n, c] = type.shape;
    return { name: mean, type: { ...type, shape: [n, c, 1, 1] } };
  });
  return { ...part, nodes: [...entries, ...part.nodes, ...exits], inputs, outputs, types };
}

const isImages = (
  type: TensorType | undefined,
): type is TensorType & { readonly shape: readonly [Dim, Dim, Dim, Dim] } =>
  type?.dtype === "float32" && type.shape?.length === 4;

/** Equal for parts that an engine runs in the same time: operators, attributes and sizes, without names and weights. */
export function signatureOf(part: Graph): string {
  const numbers = new Map<string, number>();
  const number = (name: string) => {
    if (!numbers.has(name)) numbers.set(name, numbers.size);
    return numbers.get(name)!;
  };
  const shape = (name: string) =>
    part.initializers.get(name)?.dims ?? part.inputs.find((i) => i.name === name)?.type?.shape ?? [];
  return JSON.stringify(
    part.nodes.map((n) => [
      n.op,
      [...n.attributes].map(([name, a]) => [name, a.kind === "tensor" ? "" : a.value]),
      n.inputs.map((i) => [number(i), shape(i)]),
      n.outputs.map(number),
    ]),
  );
}
