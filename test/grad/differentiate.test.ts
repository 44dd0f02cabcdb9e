import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { GraphBuilder, Value } from "../../src/graph/builder.js";
import { verify } from "../../src/graph/verify.js";
import { prune } from "../../src/graph/walk.js";
import {
  add,
  conv,
  globalAveragePool,
  logSoftmax,
  mul,
  neg,
  reduceMean,
  reduceSum,
  relu,
  reshape,
  stopGradient,
  sub,
} from "../../src/ops/emit.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder, operators } from "../../src/ops/index.js";

const random = (key: number, dims: readonly number[]): Tensor => {
  const r = new Random(17, key);
  return Tensor.from(
    "float64",
    dims,
    Array.from({ length: sizeOf(dims) }, () => r.uniform(-1, 1)),
  );
};

/** A small residual network with batch norm in training, and its cross-entropy. */
function network(b: GraphBuilder) {
  const feeds = new Map<string, Tensor>();
  const input = (name: string, dims: readonly number[]): Value => {
    feeds.set(name, random(feeds.size, dims));
    return b.input(name, "float64", dims);
  };
  const x = input("x", [3, 2, 6, 6]);
  const parameters: Value[] = [];
  const weight = (name: string, dims: readonly number[]) => {
    const v = input(name, dims);
    parameters.push(v);
    return v;
  };
  const normal = (v: Value, name: string): Value => {
    const c = [v.shape[1] as number];
    const fixed = (value: number) =>
      b.constant(Tensor.from("float64", c, new Float64Array(c[0]!).fill(value)));
    return b.addMany(
      "BatchNormalization",
      [v, weight(`${name}.γ`, c), weight(`${name}.β`, c), fixed(0), fixed(1)],
      { training_mode: 1 },
      { name, outputs: 3 },
    )[0]!;
  };
  const stem = relu(
    normal(conv(x, weight("w1", [4, 2, 3, 3]), undefined, { pads: [1, 1, 1, 1] }, "conv1"), "bn1"),
  );
  const inner = normal(
    conv(stem, weight("w2", [4, 2, 3, 3]), undefined, { pads: [1, 1, 1, 1], group: 2 }, "conv2"),
    "bn2",
  );
  const block = relu(add(inner, stem));
  const features = reshape(globalAveragePool(block), [3, 4]);
  const logits = b.add("Gemm", [features, weight("fc.w", [5, 4]), weight("fc.b", [5])], { transB: 1 });
  const target = b.constant(random(99, [3, 5]), "target");
  const loss = neg(reduceMean(reduceSum(mul(logSoftmax(logits), target), [1]), [0, 1], false));
  return { x, parameters, loss, feeds };
}

describe("differentiate", () => {
  it("gives the derivative of a whole network with respect to every parameter", () => {
    const b = graphBuilder();
    const { parameters, loss, feeds } = network(b);
    const forward = b.build();
    const gradients = differentiate(b, loss, parameters);
    const graph = b.build();
    verify(graph, operators);
    const values = evaluateGraph(graph, feeds);
    parameters.forEach((p, i) => {
      const g = values.get(gradients[i]!.name)!;
      expect(g.dims).toEqual(p.dims);
      const at = feeds.get(p.name)!;
      const d = random(1000 + i, at.dims).numbers();
      const lossAt = (h: number) => {
        const moved = Float64Array.from(at.numbers(), (v, k) => v + h * d[k]!);
        const all = evaluateGraph(
          forward,
          new Map(feeds).set(p.name, Tensor.from("float64", at.dims, moved)),
        );
        return all.get(loss.name)!.numbers()[0]!;
      };
      const numeric = (lossAt(1e-6) - lossAt(-1e-6)) / 2e-6;
      const exact = Array.from(g.numbers()).reduce((sum, v, k) => sum + v * d[k]!, 0);
      expect(Math.abs(exact - numeric) / Math.max(Math.abs(numeric), 1e-2), p.name).toBeLessThan(1e-6);
    });
  });

  it("computes nothing that was not asked for", () => {
    const count = (names: readonly string[]) => {
      const b = graphBuilder();
      const { parameters, loss } = network(b);
      const before = b.nodes.length;
      differentiate(
        b,
        loss,
        parameters.filter((p) => names.includes(p.name)),
      );
      return b.nodes.slice(before);
    };
    const head = count(["fc.b"]);
    expect(head.every((n) => !n.name.includes("conv"))).toBe(true);
    // The image itself needs no gradient.
    const all = count(["w1"]);
    expect(all.filter((n) => n.name.startsWith("grad.conv1") && n.op === "ConvTranspose")).toEqual([]);
  });

  it("names backward nodes after their forward node", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [2, 3]);
    const y = b.scope("layer1", () => b.add("Exp", [x], {}, { name: "exp" }));
    const [dx] = differentiate(b, reduceSum(mul(y, y), [0, 1], false), [x]);
    b.output(dx!, "dx");
    const backward = prune(b.build()).nodes.filter((n) => n.name.startsWith("grad."));
    const after = (name: string) =>
      backward.filter((n) => n.name.startsWith(`grad.${name}.`)).map((n) => n.op);
    expect(after("layer1.exp").at(-1)).toBe("Mul");
    expect(backward.every((n) => /^grad\.(layer1\.exp|Mul|ReduceSum)\./.test(n.name))).toBe(true);
  });

  it("adds up over several uses, and over several seeds", () => {
    const b = graphBuilder();
    const x = b.input("x", "float64", [2]);
    const y = mul(x, x);
    const z = add(x, 1);
    const seed = (...v: number[]) => b.constant(Tensor.from("float64", [2], v));
    const [dx] = differentiate(b, undefined, [x], {
      seeds: new Map([
        [y, seed(1, 10)],
        [z, seed(100, 1000)],
      ]),
    });
    const values = evaluateGraph(b.build(), new Map([["x", Tensor.from("float64", [2], [3, 4])]]));
    expect(Array.from(values.get(dx!.name)!.numbers())).toEqual([106, 1080]);
  });

  it("broadcasts a narrow gradient in the product, where no operand is narrow itself", () => {
    const at = (key: number, dims: readonly number[]) => random(key, dims);
    const [a, m, n] = [at(1, [2, 3, 4]), at(2, [2, 3, 4]), at(3, [2, 1, 4])];
    for (const narrow of [false, true]) {
      const b = graphBuilder();
      const [x, y] = [b.input("x", "float64", [2, 3, 4]), b.input("y", "float64", narrow ? n.dims : m.dims)];
      const sums = reduceSum(add(mul(x, y), y), [1]);
      const gradients = differentiate(b, reduceSum(mul(sums, sums), [0, 1, 2], false), [x, y]);
      const feeds = new Map([
        ["x", a],
        ["y", narrow ? n : m],
      ]);
      const graph = b.build();
      expect(graph.nodes.some((node) => node.op === "Expand")).toBe(narrow);
      const values = evaluateGraph(graph, feeds);
      const numbers = (v: Value) => Array.from(values.get(v.name)!.numbers());
      // With s = Σⱼ xⱼyⱼ + yⱼ the loss is Σs²: ∂/∂xⱼ = 2s·yⱼ, ∂/∂yⱼ = 2s·(xⱼ + 1), added up where y is narrow.
      const s = numbers(sums);
      const dx = new Float64Array(24);
      const dy = new Float64Array(narrow ? 8 : 24);
      for (let i = 0; i < 24; i++) {
        const column = Math.floor(i / 12) * 4 + (i % 4);
        const own = narrow ? column : i;
        dx[i] = 2 * s[column]! * feeds.get("y")!.numbers()[own]!;
        dy[own]! += 2 * s[column]! * (a.numbers()[i]! + 1);
      }
      const [gx, gy] = gradients.map((g) => numbers(g!));
      gx!.forEach((g, i) => {
        expect(g).toBeCloseTo(dx[i]!, 12);
      });
      gy!.forEach((g, i) => {
        expect(g).toBeCloseTo(dy[i]!, 12);
      });
    }
  });

  it("subtracts what would be added negated", () => {
    const b = graphBuilder();
    const [x, y] = ["x", "y"].map((n) => b.input(n, "float64", [2])) as [Value, Value];
    const apart = sub(x, y);
    const loss = reduceSum(add(mul(y, y), mul(apart, apart)), [0], false);
    const [dy] = differentiate(b, loss, [y]);
    b.output(dy!, "dy");
    const graph = prune(b.build());
    expect(graph.nodes.some((n) => n.op === "Neg")).toBe(false);
    const values = evaluateGraph(
      graph,
      new Map([
        ["x", Tensor.from("float64", [2], [5, 1])],
        ["y", Tensor.from("float64", [2], [2, 3])],
      ]),
    );
    expect(Array.from(values.get("dy")!.numbers())).toEqual([-2, 10]);
  });

  it("is undefined where the loss does not depend on a value", () => {
    const b = graphBuilder();
    const [x, w, u] = ["x", "w", "u"].map((n) => b.input(n, "float32", [2])) as [Value, Value, Value];
    const loss = reduceSum(mul(x, stopGradient(mul(w, w))), [0], false);
    const [dx, dw, du] = differentiate(b, loss, [x, w, u]);
    expect(dx).toBeDefined();
    expect([dw, du]).toEqual([undefined, undefined]);
  });

  it("passes by comparisons and shapes", () => {
    const b = graphBuilder();
    const x = b.input("x", "float64", [2, 2]);
    const positive = b.add("Cast", [b.add("Greater", [x, b.scalar(0, "float64")])], { to: 11 });
    const [dx] = differentiate(b, reduceSum(mul(x, positive), [0, 1], false), [x]);
    const at = Tensor.from("float64", [2, 2], [1, -2, 3, -4]);
    const values = evaluateGraph(b.build(), new Map([["x", at]]));
    expect(Array.from(values.get(dx!.name)!.numbers())).toEqual([1, 0, 1, 0]);
  });
});

describe("what has no derivative", () => {
  it("is refused with all its nodes at once, and nothing is added", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [4]);
    const codes = b.constant(Tensor.from("int8", [1, 4], [1, 2, 3, 4]));
    const first = b.add("DequantizeLinear", [codes, x], {}, { name: "first" });
    b.append(
      {
        op: "Mystery",
        domain: "acme",
        name: "second",
        inputs: [first.name],
        outputs: ["m"],
        attributes: new Map(),
      },
      new Map([["m", { dtype: "float32", shape: [4] }]]),
    );
    const loss = reduceSum(b.value("m"), [0], false);
    const before = b.nodes.length;
    expect(() => differentiate(b, loss, [x])).toThrowErrorMatchingInlineSnapshot(
      `[ScconvError: no derivative for 2 node(s), got DequantizeLinear "first": quantised values are not trained; Mystery "second": unknown operator]`,
    );
    expect(b.nodes.length).toBe(before);
  });

  it("is refused for one input of a node", () => {
    const b = graphBuilder();
    const x = b.input("x", "float32", [2, 3]);
    const stats = ["γ", "β", "μ", "σ²"].map((n) => b.input(n, "float32", [3]));
    const [y] = b.addMany(
      "BatchNormalization",
      [x, ...stats],
      { training_mode: 1 },
      { name: "bn", outputs: 3 },
    );
    const loss = reduceSum(y!, [0, 1], false);
    const before = b.nodes.length;
    expect(() => differentiate(b, loss, [x, stats[2]!])).toThrowErrorMatchingInlineSnapshot(
      `[ScconvError: no derivative for 1 node(s), got BatchNormalization "bn", input 3: running statistics are not trained]`,
    );
    expect(b.nodes.length).toBe(before);
    expect(differentiate(b, loss, [x, stats[0]!])).toHaveLength(2);
  });

  it("does not stand in the way of what does not pass through it", () => {
    const b = graphBuilder();
    const [x, w] = ["x", "w"].map((n) => b.input(n, "float32", [2])) as [Value, Value];
    const loss = reduceSum(mul(b.add("Mod", [x, b.scalar(2)], { fmod: 1 }), w), [0], false);
    expect(differentiate(b, loss, [w])[0]).toBeDefined();
  });
});
