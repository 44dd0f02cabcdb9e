import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import type { GraphBuilder, Value } from "../../src/graph/builder.js";
import { type AttributeInput, float, type Graph } from "../../src/graph/ir.js";
import { batchNorm, conv, linear, relu } from "../../src/nn/layers.js";
import { add } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import { prepare } from "../../src/surgery/prepare.js";

/** A network with stem `conv0`, whatever `body` makes of 16 channels at 8×8, and a classifier of 4 classes. */
export function network(body: (x: Value, random: Random) => Value, size: number | string = 8): Graph {
  const b = graphBuilder({ name: "net" });
  const random = new Random(41);
  const images = b.input("input", "float32", ["N", 3, size, size]);
  const x = body(relu(batchNorm(conv(images, 16, "conv0", random), "bn0")), random);
  const pooled = b.add("Flatten", [b.add("GlobalAveragePool", [x])]);
  b.output(linear(pooled, 4, "fc", random), "logits");
  return prepare(b.build());
}

type Block = (x: Value, name: string, random: Random) => Value;

const at = (name: string, body: (b: GraphBuilder) => Value, x: Value): Value =>
  x.builder.scope(name, () => body(x.builder));

/** He et al. 2016a: conv, norm, relu, conv, norm, and the addition. */
export const basic: Block = (x, name, random) =>
  at(
    name,
    () => {
      const inner = relu(batchNorm(conv(x, 16, "conv1", random), "bn1"));
      return relu(add(batchNorm(conv(inner, 16, "conv2", random), "bn2"), x));
    },
    x,
  );

/** As exporters write it: batch norms folded, convolutions with bias. */
export const folded: Block = (x, name, random) =>
  at(
    name,
    () => {
      const inner = relu(conv(x, 16, "conv1", random, { bias: true }));
      return relu(add(conv(inner, 16, "conv2", random, { bias: true }), x));
    },
    x,
  );

/** 1×1, 3×3, 1×1, with a projection. */
export const bottleneck: Block = (x, name, random) =>
  at(
    name,
    () => {
      const down = relu(batchNorm(conv(x, 8, "conv1", random, { kernel: 1 }), "bn1"));
      const middle = relu(batchNorm(conv(down, 8, "conv2", random, { stride: 2 }), "bn2"));
      const up = batchNorm(conv(middle, 32, "conv3", random, { kernel: 1 }), "bn3");
      return relu(add(up, batchNorm(conv(x, 32, "shortcut", random, { kernel: 1, stride: 2 }), "bn4")));
    },
    x,
  );

/** He et al. 2016b: norm and relu first, the addition is the end. */
export const preActivation: Block = (x, name, random) =>
  at(
    name,
    () => {
      const first = conv(relu(batchNorm(x, "bn1")), 16, "conv1", random);
      return add(x, conv(relu(batchNorm(first, "bn2")), 16, "conv2", random));
    },
    x,
  );

export const plain: Block = (x, name, random) =>
  at(name, () => relu(batchNorm(conv(x, 16, "conv", random), "bn")), x);

export interface ConvOptions {
  readonly input?: number;
  readonly output?: number;
  readonly weight?: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly size?: number | string;
  readonly dtype?: "float32" | "float16";
}

/** A stem and then one convolution called `it`, by default 16 → 16, 3×3, padded. */
export function withConv(options: ConvOptions = {}): Graph {
  const { input = 16, output = 16, weight, attributes, size = 8, dtype = "float32" } = options;
  const b = graphBuilder({ name: "one" });
  const stem = conv(b.input("input", "float32", ["N", 3, size, size]), input, "stem", new Random(1));
  const x = dtype === "float32" ? stem : b.add("Cast", [stem], { to: 10 });
  const dims = weight ?? [output, input, 3, 3];
  const w = b.initializer("w", Tensor.from(dtype, dims, new Float64Array(sizeOf(dims)).fill(0.1)));
  b.output(b.add("Conv", [x, w], { pads: [1, 1, 1, 1], ...attributes }, { name: "it" }), "y");
  return b.build();
}

/** Random values for everything that starts at 0 or 1: norms, gates, biases, running statistics. */
export function lively(graph: Graph, seed: number): Graph {
  const random = new Random(seed, 77);
  const initializers = new Map(graph.initializers);
  for (const [name, t] of initializers) {
    if (t.dims.length !== 1 || t.dtype !== "float32") continue;
    const values = Float64Array.from({ length: t.size }, () => {
      if (name.endsWith("running_var")) return random.uniform(0.05, 2);
      return random.normal() * 0.5 + (name.endsWith(".weight") ? 1 : 0);
    });
    initializers.set(name, Tensor.from("float32", t.dims, values));
  }
  return { ...graph, initializers };
}

/** With this epsilon in every batch norm, as other frameworks have it. */
export function withEpsilon(graph: Graph, epsilon: number): Graph {
  const nodes = graph.nodes.map((n) =>
    n.op === "BatchNormalization"
      ? { ...n, attributes: new Map(n.attributes).set("epsilon", float(epsilon)) }
      : n,
  );
  return { ...graph, nodes };
}
