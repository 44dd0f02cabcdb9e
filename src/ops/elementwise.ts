import { broadcastShapes, formatShape } from "../base/dims.js";
import type { DType } from "../base/dtype.js";
import { sizeOf, stridesOf, Tensor } from "../base/tensor.js";
import type { Node } from "../graph/ir.js";
import {
  type EvaluateContext,
  free,
  type GradRule,
  type InferContext,
  type NoGradient,
  type Operator,
  type UpgradeContext,
  zero,
} from "../graph/operator.js";
import { positive } from "./axis.js";
import { sameContents, sizeArithmetic } from "./contents.js";

/** What families of elementwise operators share: types, and values with numpy-style broadcasting. */

/** Reads `tensor` as if it had the (broadcast) dims `dims`: element i of the result is `values[index[i]]`. */
export function broadcastIndex(from: readonly number[], to: readonly number[]): Uint32Array | undefined {
  if (from.length === to.length && from.every((d, i) => d === to[i])) return undefined;
  const strides = stridesOf(from);
  const offset = to.length - from.length;
  const index = new Uint32Array(sizeOf(to));
  const counter = new Array<number>(to.length).fill(0);
  let at = 0;
  for (let i = 0; i < index.length; i++) {
    index[i] = at;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const step = axis >= offset && from[axis - offset]! > 1 ? strides[axis - offset]! : 0;
      counter[axis]!++;
      at += step;
      if (counter[axis]! < to[axis]!) break;
      at -= step * to[axis]!;
      counter[axis] = 0;
    }
  }
  return index;
}

/** f applied element by element over the broadcast inputs. */
export function mapTensors(dtype: DType, inputs: readonly Tensor[], f: (...v: number[]) => number): Tensor {
  const dims = broadcastShapes(...inputs.map((t) => t.dims)) as number[];
  const values = inputs.map((t) => t.numbers());
  const index = inputs.map((t) => broadcastIndex(t.dims, dims));
  const out = new Float64Array(sizeOf(dims));
  const args = new Array<number>(inputs.length);
  for (let i = 0; i < out.length; i++) {
    for (let k = 0; k < args.length; k++) args[k] = values[k]![index[k]?.[i] ?? i]!;
    out[i] = f(...args);
  }
  return Tensor.from(dtype, dims, out);
}

export function inferBroadcast(ctx: InferContext, dtype: DType) {
  const shapes = ctx.inputs.map((t) => t?.shape);
  if (shapes.some((s) => !s)) return [{ dtype, shape: undefined }];
  const shape = broadcastShapes(...(shapes as readonly (readonly (number | string)[])[]));
  if (!shape) {
    throw ctx.error("shapes do not broadcast together", {
      got: shapes.map((s) => formatShape(s)).join(" and "),
    });
  }
  return [{ dtype, shape }];
}

export interface UnaryRow {
  readonly type: string;
  readonly since: number;
  readonly f: (x: number, node: Node) => number;
  readonly grad: GradRule | NoGradient;
  readonly dtype?: (input: DType) => DType;
  readonly upgrade?: NonNullable<Operator["upgrade"]>;
  readonly older?: NonNullable<Operator["older"]>;
  readonly domain?: string;
  readonly lower?: NonNullable<Operator["lower"]>;
}

/** One operator from one formula. */
export const unaryOperator = ({ f, dtype = (t) => t, ...row }: UnaryRow): Operator => ({
  ...row,
  ...(row.type === "Identity" ? { partial: sameContents } : {}),
  infer: (ctx) => [{ dtype: dtype(ctx.dtype(0)), shape: ctx.shape(0) }],
  evaluate: ({ node, tensor }: EvaluateContext) => {
    const x = tensor(0);
    return [mapTensors(dtype(x.dtype), [x], (v) => f(v, node))];
  },
  cost: free,
});

export interface BinaryRow {
  readonly type: string;
  readonly since: number;
  readonly f: (a: number, b: number, node: Node, dtype: DType) => number;
  readonly grad: GradRule | NoGradient;
  /** Element type of the result; the first input's unless given. */
  readonly dtype?: DType;
  readonly downgrade?: NonNullable<Operator["downgrade"]>;
  readonly older?: NonNullable<Operator["older"]>;
}

/** One operator from one formula, with broadcasting; any number of inputs for Sum, Min, Max. */
export const binaryOperator = ({ f, dtype, ...row }: BinaryRow): Operator => ({
  ...row,
  ...(sizeArithmetic[row.type] ? { partial: sizeArithmetic[row.type]! } : {}),
  upgrade: broadcastByAxes,
  infer: (ctx) => inferBroadcast(ctx, dtype ?? ctx.dtype(0)),
  evaluate: ({ node, inputs }) => {
    const tensors = inputs as readonly Tensor[];
    const type = tensors[0]!.dtype;
    const all = tensors.length === 1 ? mapTensors(type, tensors, (a) => a) : undefined;
    return [
      all ??
        tensors
          .slice(1)
          .reduce(
            (acc, t) => mapTensors(dtype ?? type, [acc, t], (a, b) => f(a, b, node, type)),
            tensors[0]!,
          ),
    ];
  },
  cost: free,
});

/**
 * Before 7 the second input was broadcast only where `broadcast` said so, its first axis standing at `axis`: ones are put
 * behind it until it reaches the end.
 */
export function broadcastByAxes(node: Node, from: number, make: UpgradeContext): Node | readonly Node[] {
  if (from >= 7) return node;
  const attributes = new Map(node.attributes);
  attributes.delete("broadcast");
  attributes.delete("axis");
  const [a, b] = node.inputs.map((name) => make.type(name)?.shape?.length);
  const axis = node.attributes.get("axis");
  if (axis?.kind !== "int" || a === undefined || b === undefined) return { ...node, attributes };
  const behind = a - positive(axis.value, a) - b;
  if (behind <= 0) return { ...node, attributes };
  const wide = make.fresh("wide");
  const axes = Array.from({ length: behind }, (_, i) => b + i);
  return [
    {
      ...{ op: "Unsqueeze", domain: "", name: `${node.name}.unsqueeze`, attributes: new Map() },
      ...{ inputs: [node.inputs[1]!, make.ints(axes)], outputs: [wide] },
    },
    { ...node, inputs: [node.inputs[0]!, wide], attributes },
  ];
}

export const stepFunction = zero("a step is flat wherever it has a derivative");
