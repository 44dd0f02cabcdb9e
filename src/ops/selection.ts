import type { Dim, Shape } from "../base/dims.js";
import { isFloat } from "../base/dtype.js";
import { Tensor } from "../base/tensor.js";
import { floatAttr } from "../graph/ir.js";
import { free, none, type Operator } from "../graph/operator.js";
import { without } from "./axis.js";
import { mapContents } from "./contents.js";
import { inferBroadcast, mapTensors } from "./elementwise.js";
import { greater, greaterOrEqual, lessOrEqual, mask, mul, sub } from "./emit.js";

/** Operators that let some elements through. */

export const where: Operator = {
  type: "Where",
  since: 9,
  infer: (ctx) => inferBroadcast(ctx, ctx.dtype(1)),
  evaluate: ({ tensor }) => [
    mapTensors(tensor(1).dtype, [tensor(0), tensor(1), tensor(2)], (c, a, b) => (c ? a : b)),
  ],
  partial: (ctx): Shape | undefined =>
    isFloat(ctx.dtype(1))
      ? undefined
      : mapContents((c: Dim, a: Dim, b: Dim) => (typeof c === "number" ? (c ? a : b) : undefined))(ctx),
  cost: free,
  // Cast and Mul, because the engine is slower at Where.
  grad: ({ x, dy }) => [
    none("a condition has no derivative"),
    () => mul(dy(), mask(x(0), dy())),
    () => mul(dy(), sub(1, mask(x(0), dy()))),
  ],
};

/** min(max(x, low), high); either bound may be left out. */
export const clip: Operator = {
  type: "Clip",
  since: 11,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: ({ inputs, tensor }) => {
    const low = inputs[1]?.numbers()[0] ?? Number.NEGATIVE_INFINITY;
    const high = inputs[2]?.numbers()[0] ?? Number.POSITIVE_INFINITY;
    return [mapTensors(tensor(0).dtype, [tensor(0)], (v) => Math.min(Math.max(v, low), high))];
  },
  cost: free,
  settings: [1, 2],
  // The gradient passes inside the bounds, and on them, as in PyTorch.
  grad: ({ inputs, x, dy }) => [
    () => {
      let g = dy();
      if (inputs[1]) g = mul(g, mask(greaterOrEqual(x(0), inputs[1]), g));
      if (inputs[2]) g = mul(g, mask(lessOrEqual(x(0), inputs[2]), g));
      return g;
    },
    none("bounds are not trained"),
    none("bounds are not trained"),
  ],
  upgrade: (node, from, make) => {
    if (from >= 11) return node;
    const attributes = new Map(node.attributes);
    const bound = (name: string) => {
      attributes.delete(name);
      return node.attributes.has(name) ? make.scalarLike(floatAttr(node, name, 0), node.inputs[0]!) : "";
    };
    const inputs = [node.inputs[0]!, bound("min"), bound("max")];
    while (inputs.at(-1) === "") inputs.pop();
    return { ...node, inputs, attributes };
  },
  downgrade: (node, to, make) => {
    if (to < 12 && !isFloat(make.type(node.inputs[0]!)?.dtype ?? "float32")) {
      throw make.cannot("set 12 (integers)");
    }
    return node;
  },
};

/** x where it is positive, slope · x elsewhere; the slope broadcasts to x. */
export const prelu: Operator = {
  type: "PRelu",
  since: 9,
  infer: (ctx) => [{ dtype: ctx.dtype(0), shape: ctx.shape(0) }],
  evaluate: ({ tensor }) => [
    mapTensors(tensor(0).dtype, [tensor(0), tensor(1)], (v, slope) => (v < 0 ? v * slope : v)),
  ],
  cost: free,
  // Before 7 a vector of slopes was one for each channel.
  upgrade: (node, from, make) => {
    const rank = make.type(node.inputs[0]!)?.shape?.length;
    if (from >= 7 || rank === undefined || make.type(node.inputs[1]!)?.shape?.length !== 1) return node;
    const slope = make.fresh("slope");
    const axes = Array.from({ length: rank - 2 }, (_, i) => i + 1);
    return [
      {
        ...{ op: "Unsqueeze", domain: "", name: `${node.name}.unsqueeze`, attributes: new Map() },
        ...{ inputs: [node.inputs[1]!, make.ints(axes)], outputs: [slope] },
      },
      { ...node, inputs: [node.inputs[0]!, slope] },
    ];
  },
  grad: (ctx) => {
    const { x, dy } = ctx;
    const rising = () => ctx.shared("rising", () => mask(greater(x(0), 0), dy()));
    const falling = () => ctx.shared("falling", () => sub(1, rising()));
    return [
      () => mul(dy(), ctx.b.add("Add", [rising(), mul(falling(), x(1))])),
      () => mul(mul(dy(), x(0)), falling()),
    ];
  },
};

/** The identity, as it is at inference. */
export const dropout: Operator = {
  type: "Dropout",
  since: 12,
  infer: (ctx) => [
    { dtype: ctx.dtype(0), shape: ctx.shape(0) },
    { dtype: "bool", shape: ctx.shape(0) },
  ],
  evaluate: ({ tensor, outputs }) => {
    const x = tensor(0);
    const all = Tensor.of("bool", x.dims, new Uint8Array(x.size).fill(1));
    return [x, all].slice(0, outputs);
  },
  cost: free,
  settings: [1],
  grad: ({ inputs, dy }) => {
    const training = inputs[2] && inputs[2].constant?.numbers()[0] !== 0;
    const given = none("the ratio is a setting");
    return [training ? none("Dropout in training mode draws its own mask") : () => dy(), given, given];
  },
  upgrade: (node, from, make) => {
    if (from >= 12) return node;
    const attributes = new Map(node.attributes);
    attributes.delete("ratio");
    // Before 7 a flag said whether it is a test run; later exports still carry it.
    attributes.delete("is_test");
    const ratio = make.constant(Tensor.scalar("float32", floatAttr(node, "ratio", 0.5)));
    return { ...node, inputs: [node.inputs[0]!, ratio], attributes };
  },
  downgrade: (node, to, make) => {
    if (to >= 12) return node;
    const [x, ratio, training] = node.inputs as [string, string?, string?];
    if (training && make.known(training)?.numbers()[0] !== 0) throw make.cannot("set 12 (training mode)");
    const value = ratio ? make.known(ratio)?.numbers()[0] : 0.5;
    if (value === undefined) throw make.cannot("set 12, or a constant ratio");
    if (node.outputs[1]) throw make.cannot("set 12 (the mask)");
    const attributes = without(node, "seed").set("ratio", { kind: "float", value });
    return { ...node, inputs: [x], attributes };
  },
};
