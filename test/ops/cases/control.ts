import type { Value } from "../../../src/graph/builder.js";
import type { AttributeValue, Graph } from "../../../src/graph/ir.js";
import { add, less, mul, reduceSum } from "../../../src/ops/emit.js";
import { graphBuilder } from "../../../src/ops/index.js";
import { bools, intTensor, type OperatorCase, uniform } from "../operator-case.js";

type Inputs = readonly (readonly [
  name: string,
  dtype: "float32" | "int64" | "bool",
  dims: readonly number[],
])[];

/** A sub-graph of those inputs. */
function body(inputs: Inputs, build: (values: Value[]) => readonly Value[]): AttributeValue {
  const b = graphBuilder({ name: "body" });
  const values = inputs.map(([name, dtype, dims]) => b.input(name, dtype, dims));
  build(values).forEach((v, i) => {
    b.output(v, `body.${i}`);
  });
  return { kind: "graph", value: b.build() };
}

/** A branch that reads a value around it. */
function branch(name: string, op: string): AttributeValue {
  const graph: Graph = {
    name,
    nodes: [{ op, domain: "", name, inputs: ["x1"], outputs: [`${name}.out`], attributes: new Map() }],
    inputs: [],
    outputs: [{ name: `${name}.out`, type: undefined }],
    initializers: new Map(),
    types: new Map(),
    opsets: new Map([["", 18]]),
  };
  return { kind: "graph", value: graph };
}

const turns: Inputs = [
  ["turn", "int64", []],
  ["go", "bool", []],
  ["sum", "float32", [2, 3]],
];

/** Sub-graphs, which see the values around their node. The second input of If is there to be seen. */
export const controlCases: readonly OperatorCase[] = [
  ...[1, 0].map(
    (condition): OperatorCase => ({
      op: "If",
      name: `condition ${condition}`,
      inputs: [bools([], [condition])],
      around: [undefined, uniform([2, 3])],
      attributes: { then_branch: branch("then", "Exp"), else_branch: branch("else", "Neg") },
      fed: [0],
    }),
  ),
  {
    op: "Loop",
    name: "carried and scanned, until a condition",
    inputs: [intTensor([], [10]), bools([], [1]), uniform([2, 3], { low: 0.5 })],
    attributes: {
      body: body(turns, ([turn, , sum]) => [less(turn!, 3), mul(sum!, 2), reduceSum(sum!, [0], false)]),
    },
    outputs: 2,
    opensSizes: true,
  },
  {
    op: "Scan",
    name: "running sum and its double, backwards along axis 1",
    inputs: [uniform([2]), uniform([2, 4])],
    attributes: {
      num_scan_inputs: 1,
      scan_input_axes: [1],
      scan_input_directions: [1],
      scan_output_axes: [-1],
      body: body(
        [
          ["total", "float32", [2]],
          ["next", "float32", [2]],
        ],
        ([total, next]) => {
          const sum = add(total!, next!);
          return [sum, mul(sum, 2)];
        },
      ),
    },
    outputs: 2,
  },
];
