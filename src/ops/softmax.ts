import { stridesOf, Tensor } from "../base/tensor.js";
import { attributesFrom, intAttr, type Node } from "../graph/ir.js";
import { type DowngradeContext, free, type Operator, type UpgradeContext, zero } from "../graph/operator.js";
import { positive } from "./axis.js";
import { exp, mul, reduceSum, sub } from "./emit.js";

/** Softmax and its logarithm along one axis (the form since operator set 13). */
function along(x: Tensor, axis: number, f: (values: Float64Array) => Float64Array): Tensor {
  const a = axis < 0 ? axis + x.dims.length : axis;
  const stride = stridesOf(x.dims)[a]!;
  const n = x.dims[a]!;
  const xs = x.numbers();
  const out = new Float64Array(x.size);
  const line = new Float64Array(n);
  for (let i = 0; i < x.size; i++) {
    if (Math.floor(i / stride) % n !== 0) continue;
    for (let k = 0; k < n; k++) line[k] = xs[i + k * stride]!;
    const y = f(line);
    for (let k = 0; k < n; k++) out[i + k * stride] = y[k]!;
  }
  return Tensor.from(x.dtype, x.dims, out);
}

function logarithms(v: Float64Array): Float64Array {
  const top = v.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const norm = top + Math.log(v.reduce((s, x) => s + Math.exp(x - top), 0));
  return v.map((x) => x - norm);
}

const infer: Operator["infer"] = (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }];

export const softmax: Operator = {
  type: "Softmax",
  since: 13,
  infer,
  evaluate: ({ node, tensor }) => [
    along(tensor(0), intAttr(node, "axis", -1), (v) => logarithms(v).map(Math.exp)),
  ],
  cost: free,
  upgrade: fromMatrix,
  downgrade: toMatrix,
  // dx = y·(dy − Σ dy·y)
  grad: ({ node, y, dy }) => [
    () => mul(y(), sub(dy(), reduceSum(mul(dy(), y()), [intAttr(node, "axis", -1)]))),
  ],
};

export const logSoftmax: Operator = {
  type: "LogSoftmax",
  since: 13,
  infer,
  evaluate: ({ node, tensor }) => [along(tensor(0), intAttr(node, "axis", -1), logarithms)],
  cost: free,
  upgrade: fromMatrix,
  downgrade: toMatrix,
  // dx = dy − eʸ·Σ dy
  grad: ({ node, y, dy }) => [() => sub(dy(), mul(exp(y()), reduceSum(dy(), [intAttr(node, "axis", -1)])))],
};

/** 1 where the (first) largest is, 0 elsewhere. */
export const hardmax: Operator = {
  type: "Hardmax",
  since: 13,
  infer,
  evaluate: ({ node, tensor }) => [
    along(tensor(0), intAttr(node, "axis", -1), (v) => {
      const top = v.indexOf(v.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
      return v.map((_, i) => Number(i === top));
    }),
  ],
  cost: free,
  upgrade: fromMatrix,
  downgrade: toMatrix,
  grad: zero("a step is flat wherever it has a derivative"),
};

/** Before 13 the input was taken as a matrix, the axes from `axis` (1 unless given) on being its columns. */
function fromMatrix(node: Node, from: number, make: UpgradeContext): Node | readonly Node[] {
  if (from >= 13) return node;
  const x = node.inputs[0]!;
  const shape = make.type(x)?.shape;
  const given = intAttr(node, "axis", 1);
  const axis = given < 0 && shape ? given + shape.length : given;
  const along = (a: number) => new Map(node.attributes).set("axis", { kind: "int", value: a });
  if (shape?.slice(axis + 1).every((d) => d === 1) && axis < shape.length)
    return { ...node, attributes: along(axis) };
  const [matrix, result, sizes] = ["matrix", "softmax", "sizes"].map((hint) => make.fresh(hint)) as [
    string,
    string,
    string,
  ];
  const plain = { domain: "", attributes: new Map() };
  return [
    {
      ...plain,
      op: "Flatten",
      name: `${node.name}.flatten`,
      inputs: [x],
      outputs: [matrix],
      attributes: attributesFrom({ axis }),
    },
    { ...node, inputs: [matrix], outputs: [result], attributes: along(-1) },
    { ...plain, op: "Shape", name: `${node.name}.shape`, inputs: [x], outputs: [sizes] },
    { ...plain, op: "Reshape", name: `${node.name}.reshape`, inputs: [result, sizes], outputs: node.outputs },
  ];
}

/** Before 13: where the axis is not the last one that counts, it is brought to the end and back. */
function toMatrix(node: Node, to: number, make: DowngradeContext): Node | readonly Node[] {
  if (to >= 13) return node;
  const x = node.inputs[0]!;
  const shape = make.type(x)?.shape;
  const given = intAttr(node, "axis", -1);
  const along = (a: number) => new Map(node.attributes).set("axis", { kind: "int", value: a });
  if (!shape) {
    if (given === -1) return { ...node, attributes: along(-1) };
    throw make.cannot("set 13, or a rank that is known");
  }
  const axis = positive(given, shape.length);
  if (shape.slice(axis + 1).every((d) => d === 1)) return { ...node, attributes: along(axis) };
  // Exchanging two axes is its own inverse.
  const last = shape.length - 1;
  const perm = shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  const [turned, result] = [make.fresh("turned"), make.fresh("softmax")];
  const transpose = { op: "Transpose", domain: "", attributes: attributesFrom({ perm }) };
  return [
    { ...transpose, name: `${node.name}.there`, inputs: [x], outputs: [turned] },
    { ...node, inputs: [turned], outputs: [result], attributes: along(last) },
    { ...transpose, name: `${node.name}.back`, inputs: [result], outputs: node.outputs },
  ];
}
