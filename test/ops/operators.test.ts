import { describe, expect, it } from "vitest";
import { type DType, isFloat } from "../../src/base/dtype.js";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import type { Value } from "../../src/graph/builder.js";
import { operatorKey } from "../../src/graph/operator.js";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { cases } from "./cases/index.js";
import { expectClose } from "./close.js";
import { type BuiltCase, buildCase, type OperatorCase } from "./operator-case.js";

const engine = nodeEngine({ threads: 1 });
for (const c of cases) if (c.engineLacks) console.warn(`skipped: ${c.op}, ${c.name}: ${c.engineLacks}`);

async function onEngine(graph: Parameters<typeof lower>[0], feeds: ReadonlyMap<string, Tensor>) {
  const session = await engine.open(lower(graph));
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** Inputs that the case is differentiated by. */
function trained(c: OperatorCase): readonly number[] {
  const grad = operators.get(operatorKey(c.op, c.domain))!.grad;
  if (typeof grad !== "function") return [];
  return c.wrt ?? c.inputs.flatMap((t, i) => (t && isFloat(t.dtype) && !c.constant?.includes(i) ? [i] : []));
}

const random = (dtype: DType, dims: readonly number[], key: number): Tensor => {
  const r = new Random(7, key);
  return Tensor.from(
    dtype,
    dims,
    Array.from({ length: dims.reduce((a, d) => a * d, 1) }, () => Math.fround(r.uniform(-1, 1))),
  );
};

/** The case, Σ y ⊙ r over its float outputs, and the gradients of that sum. */
function withGradient(c: OperatorCase, dtype: "float32" | "float64") {
  const built = buildCase(c, dtype);
  const b = built.outputs[0]!.builder;
  const feeds = new Map(built.feeds);
  const seeds = new Map<Value, Value>();
  built.outputs.forEach((y, i) => {
    if (!isFloat(y.dtype) || c.seeded?.includes(i) === false) return;
    const { dims } = c.opensSizes ? evaluateGraph(b.build(), built.feeds).get(y.name)! : y;
    const r = random(dtype, dims, i);
    feeds.set(`r${i}`, r);
    seeds.set(y, b.input(`r${i}`, dtype, r.dims));
  });
  const wrt = trained(c).map((i) => built.inputs[i]!);
  const gradients = differentiate(b, undefined, wrt, { seeds });
  const names = gradients.map((g, i) => (g ? b.output(g, `d${i}`).name : undefined));
  return { built, graph: b.build(), feeds, wrt, names };
}

/** Σ y ⊙ r as a function of the inputs. */
function lossOf(built: BuiltCase, feeds: ReadonlyMap<string, Tensor>): number {
  const values = evaluateGraph(built.outputs[0]!.builder.build(), feeds);
  let loss = 0;
  built.outputs.forEach((y, i) => {
    const r = feeds.get(`r${i}`)?.numbers();
    const v = values.get(y.name)!.numbers();
    if (r) for (let k = 0; k < v.length; k++) loss += v[k]! * r[k]!;
  });
  return loss;
}

describe.each(cases)("$op: $name", (c) => {
  it.skipIf(c.engineLacks)(
    `agrees with ONNX Runtime${c.engineLacks ? ` (not asked: ${c.engineLacks})` : ""}`,
    async () => {
      const { outputs, feeds } = buildCase(c, "float32");
      const b = outputs[0]!.builder;
      for (const y of outputs) b.output(y);
      const graph = b.build();
      verify(graph, operators);
      const ours = evaluateGraph(graph, feeds);
      const theirs = await onEngine(graph, feeds);
      for (const y of outputs) {
        const [got, want] = [ours.get(y.name)!, theirs.get(y.name)!];
        expect({ dtype: got.dtype, dims: got.dims }).toEqual({ dtype: want.dtype, dims: [...want.dims] });
        if (c.opensSizes) {
          expect({ dtype: y.dtype, rank: y.rank }, "inferred").toEqual({
            dtype: want.dtype,
            rank: want.dims.length,
          });
        } else expect(y.type, "inferred").toEqual({ dtype: want.dtype, shape: [...want.dims] });
        expectClose(got, want, c.tolerance ?? 1e-5, y.name);
      }
    },
  );

  if (trained(c).length === 0) return;
  it("has the derivative that finite differences have", () => {
    const { graph, feeds, wrt: values, names } = withGradient(c, "float64");
    verify(graph, operators);
    const all = evaluateGraph(graph, feeds);
    const forward = buildCase(c, "float64", c.derivativeOf);
    values.forEach((x, i) => {
      const at = feeds.get(x.name)!;
      const gradient = names[i] ? all.get(names[i])! : Tensor.zeros("float64", at.dims);
      expect(gradient.dims, `shape of d${x.name}`).toEqual(at.dims);
      const direction = random("float64", at.dims, 100 + i).numbers();
      const h = 1e-5;
      const moved = (sign: number) => {
        const values = Float64Array.from(at.numbers(), (v, k) => v + sign * h * direction[k]!);
        return lossOf(forward, new Map(feeds).set(x.name, Tensor.from("float64", at.dims, values)));
      };
      const numeric = (moved(1) - moved(-1)) / (2 * h);
      const g = gradient.numbers();
      let exact = 0;
      let scale = 1e-3;
      for (let k = 0; k < g.length; k++) {
        exact += g[k]! * direction[k]!;
        scale += Math.abs(g[k]! * direction[k]!);
      }
      expect(
        Math.abs(exact - numeric) / scale,
        `d${x.name}: ${exact} by rule, ${numeric} by differences`,
      ).toBeLessThan(1e-6);
    });
  });

  it.skipIf(c.engineLacks)("has a gradient graph that ONNX Runtime runs", async () => {
    const { graph, feeds, names } = withGradient(c, "float32");
    const ours = evaluateGraph(graph, feeds);
    const theirs = await onEngine(graph, feeds);
    for (const name of names) {
      if (name) expectClose(ours.get(name)!, theirs.get(name)!, 10 * (c.tolerance ?? 1e-5), name);
    }
  });
});

/** What onnxruntime-web's WebGPU lacks: such a node would run on the CPU, between two copies. */
const notOnWebGpu = [
  ...[
    "And",
    "Or",
    "ConstantOfShape",
    "Dropout",
    "GroupNormalization",
    "Identity",
    "Max",
    "Min",
    "OneHot",
    "Sum",
  ],
  ...["NonMaxSuppression", "TopK"],
];

describe("gradients", () => {
  it("are made of standard operators, and of those that WebGPU has", () => {
    const emitted = new Set<string>();
    for (const c of cases) {
      if (trained(c).length === 0) continue;
      const { built, graph } = withGradient(c, "float32");
      const backward = graph.nodes.filter((n) => n.name.startsWith("grad."));
      expect(built.outputs.length).toBeGreaterThan(0);
      for (const n of backward) emitted.add(operatorKey(n.op, n.domain));
    }
    expect([...emitted].filter((op) => op.includes(".") || notOnWebGpu.includes(op))).toEqual([]);
  });
});

describe("the table of cases", () => {
  it("has every operator", () => {
    const seen = new Set(cases.map((c) => operatorKey(c.op, c.domain)));
    expect([...operators.keys()].filter((key) => !seen.has(key))).toEqual([]);
  });

  it("has a gradient case for every operator with a derivative", () => {
    const seen = new Set(cases.filter((c) => trained(c).length > 0).map((c) => operatorKey(c.op, c.domain)));
    const differentiable = [...operators].filter(([, o]) => typeof o.grad === "function").map(([key]) => key);
    expect(differentiable.filter((key) => !seen.has(key))).toEqual([]);
  });
});
