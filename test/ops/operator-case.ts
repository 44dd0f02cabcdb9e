import { dtypes, isFloat } from "../../src/base/dtype.js";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { Value } from "../../src/graph/builder.js";
import type { AttributeInput } from "../../src/graph/ir.js";
import { graphBuilder } from "../../src/ops/index.js";

/** One operator on given inputs. What holds of every case is in `operators.test.ts`. */
export interface OperatorCase {
  readonly op: string;
  readonly name: string;
  /** Floats are given as float64 and run in both precisions. */
  readonly inputs: readonly (Tensor | undefined)[];
  /** Values that a sub-graph may read, by the place that their name (`x1`) counts. */
  readonly around?: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeInput>> | undefined;
  readonly domain?: string;
  readonly opset?: number;
  /** Number of outputs; 1 unless given. */
  readonly outputs?: number;
  /** Float inputs that are constants of the graph, by index; integers always are, unless in `fed`. */
  readonly constant?: readonly number[];
  readonly fed?: readonly number[];
  /** Inputs to differentiate by; default: all float inputs that are fed. [] where there is a corner at this point. */
  readonly wrt?: readonly number[];
  /** Outputs that the loss is made of; default: all that are floats. */
  readonly seeded?: readonly number[];
  /** Its derivative is by definition that of this operator (a straight-through estimator). */
  readonly derivativeOf?: string;
  /** How many elements come out depends on the values: such sizes are not inferred. */
  readonly opensSizes?: boolean;
  /** Why the engine is not asked. Printed. */
  readonly engineLacks?: string;
  /** Relative to the largest element; 1e-5 unless given. */
  readonly tolerance?: number;
}

let seed = 0;
const rounded = (dims: readonly number[], f: (i: number) => number): Tensor =>
  Tensor.from(
    "float64",
    dims,
    Float64Array.from({ length: sizeOf(dims) }, (_, i) => Math.fround(f(i))),
  );

/** Uniform in (low, high), at least `away` from 0; values are exact in float32. */
export function uniform(
  dims: readonly number[],
  { low = -2, high = 2, away = 0 }: { low?: number; high?: number; away?: number } = {},
): Tensor {
  const random = new Random(++seed);
  return rounded(dims, () => {
    let v: number;
    do v = random.uniform(low, high);
    while (Math.abs(v) < away);
    return v;
  });
}

/** All different, at least 1/8 apart, in random order. */
export function distinct(dims: readonly number[]): Tensor {
  const n = sizeOf(dims);
  const order = new Random(++seed).permutation(n);
  return rounded(dims, (i) => (order[i]! - n / 2 + 0.25) / 8);
}

export const floats = (dims: readonly number[], values: readonly number[]): Tensor =>
  rounded(dims, (i) => values[i]!);
export const ints = (...values: number[]): Tensor => Tensor.from("int64", [values.length], values);
export const intTensor = (dims: readonly number[], values: readonly number[]): Tensor =>
  Tensor.from("int64", dims, values);
export const bools = (dims: readonly number[], values: readonly number[]): Tensor =>
  Tensor.from("bool", dims, values);

export interface BuiltCase {
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly feeds: ReadonlyMap<string, Tensor>;
}

/** The case as a graph under construction, its floats in `dtype`. */
export function buildCase(c: OperatorCase, dtype: "float32" | "float64", op = c.op): BuiltCase {
  const b = graphBuilder({ name: "case", opsets: new Map([["", c.opset ?? 18]]) });
  const feeds = new Map<string, Tensor>();
  const inputs = c.inputs.map((t, i) => {
    if (!t) return undefined;
    const tensor = isFloat(t.dtype) ? t.cast(dtype) : t;
    const fed = isFloat(t.dtype) ? !c.constant?.includes(i) : c.fed?.includes(i);
    if (!fed) return b.constant(tensor, `c${i}`);
    feeds.set(`x${i}`, tensor);
    return b.input(`x${i}`, tensor.dtype, tensor.dims);
  });
  c.around?.forEach((t, i) => {
    if (!t) return;
    feeds.set(`x${i}`, t.cast(dtype));
    b.input(`x${i}`, dtype, t.dims);
  });
  // A cast to float32 is a cast to the precision of the run.
  const narrows = dtype === "float64" && c.attributes?.to === dtypes.float32.code;
  const attributes = narrows ? { ...c.attributes, to: dtypes.float64.code } : (c.attributes ?? {});
  const domain = op === c.op ? (c.domain ?? "") : "";
  const outputs = b.addMany(op, inputs, attributes, {
    name: "node",
    domain,
    outputs: c.outputs ?? 1,
  });
  return { inputs, outputs, feeds };
}
