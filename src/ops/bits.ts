import { broadcastShapes } from "../base/dims.js";
import { dtypeOfCode, dtypes, type TypedArray } from "../base/dtype.js";
import { sizeOf, Tensor } from "../base/tensor.js";
import { intAttr, type Node, stringAttr } from "../graph/ir.js";
import { type EvaluateContext, free, none, type Operator, zero } from "../graph/operator.js";
import { sameContents } from "./contents.js";
import { broadcastIndex, inferBroadcast } from "./elementwise.js";
import { cast } from "./emit.js";

/** Operators on the bits of integers, and those that take an element type from elsewhere. */

const unsigned = (t: Tensor) => t.dtype.startsWith("u");

/** f over integers of any width, without the rounding of numbers beyond 2⁵³. */
function mapBits({ node, inputs }: EvaluateContext, f: BitRule): Tensor[] {
  const tensors = inputs as readonly Tensor[];
  const dims = broadcastShapes(...tensors.map((t) => t.dims)) as number[];
  const [a, b = a] = tensors as [Tensor, Tensor?];
  const [ia, ib] = [broadcastIndex(a.dims, dims), broadcastIndex(b.dims, dims)];
  const bits = 8 * dtypes[a.dtype].bytes;
  const fit = (v: bigint) => (unsigned(a) ? BigInt.asUintN(bits, v) : BigInt.asIntN(bits, v));
  const out = new dtypes[a.dtype].array(sizeOf(dims)) as TypedArray;
  const big = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let i = 0; i < out.length; i++) {
    const v = fit(f(BigInt(a.data[ia?.[i] ?? i]!), BigInt(b.data[ib?.[i] ?? i]!), node, bits));
    out[i] = (big ? v : Number(v)) as never;
  }
  return [Tensor.of(a.dtype, dims, out)];
}

/** Shifts by less than nothing or by the whole width leave what was shifted in: zeros, or the sign. */
function shifted(a: bigint, by: bigint, node: Node, bits: number): bigint {
  const left = stringAttr(node, "direction", "LEFT") === "LEFT";
  if (by < 0n || by >= BigInt(bits)) return left || a >= 0n ? 0n : -1n;
  return left ? a << by : a >> by;
}

type BitRule = (a: bigint, b: bigint, node: Node, bits: number) => bigint;

const bitwise = (type: string, since: number, f: BitRule): Operator => ({
  type,
  since,
  infer: (ctx) => inferBroadcast(ctx, ctx.dtype(0)),
  evaluate: (ctx) => mapBits(ctx, f),
  cost: free,
  grad: none("integers have no derivative"),
});

export const bitOperators: readonly Operator[] = [
  bitwise("BitwiseAnd", 18, (a, b) => a & b),
  bitwise("BitwiseOr", 18, (a, b) => a | b),
  bitwise("BitwiseXor", 18, (a, b) => a ^ b),
  bitwise("BitwiseNot", 18, (a) => ~a),
  bitwise("BitShift", 11, shifted),
  {
    // The same bits under another element type of the same width.
    type: "BitCast",
    since: 26,
    infer: (ctx) => {
      const dtype = dtypeOfCode(intAttr(ctx.node, "to", 0));
      if (dtype && dtypes[dtype].bytes !== dtypes[ctx.dtype(0)].bytes) {
        throw ctx.error("the element types differ in width", { got: `${ctx.dtype(0)} to ${dtype}` });
      }
      return [dtype && { dtype, shape: ctx.shape(0) }];
    },
    evaluate: ({ node, tensor }) => [
      Tensor.ofBytes(dtypeOfCode(intAttr(node, "to", 0))!, tensor(0).dims, tensor(0).bytes),
    ],
    cost: free,
    grad: none("bits have no derivative"),
  },
  {
    type: "CastLike",
    since: 15,
    infer: (ctx) => [{ dtype: ctx.dtype(1), shape: ctx.shape(0) }],
    evaluate: ({ tensor }) => [tensor(0).cast(tensor(1).dtype)],
    cost: free,
    partial: (ctx) => (ctx.inputs[1]?.dtype === "bool" ? undefined : sameContents(ctx)),
    grad: ({ x, dy }) => [() => cast(dy(), x(0).dtype), zero("only its element type counts")],
    older: ({ b, x }, to) => (to < 15 ? [b.add("Cast", [x(0)], { to: dtypes[x(1).dtype].code })] : undefined),
  },
];
