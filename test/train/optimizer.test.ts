import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { adamw, type Optimizer, sgd } from "../../src/train/optimizer.js";
import { expectClose } from "../ops/close.js";

const SIZE = 7;
const vector = (key: number): Float64Array => {
  const random = new Random(31, key);
  return Float64Array.from({ length: SIZE }, () => random.normal());
};
/** Half of the elements decay, as weights beside norms do. */
const decayed = (weightDecay: number) => Float64Array.from({ length: SIZE }, (_, i) => (i % 2) * weightDecay);
const rates = [0.1, 0.2, 0.05, 0.3, 0.01, 0.1];

/** The parameters after each step, by the graph in float64. */
function run(optimizer: Optimizer): Float64Array[] {
  const b = graphBuilder();
  const input = (name: string, dims: readonly number[] = [SIZE]) => b.input(name, "float64", dims);
  const parameters = input("parameters");
  const gradient = input("gradient");
  const next = optimizer.update({
    parameters,
    gradient,
    slots: optimizer.slots.map((s) => input(s)),
    learningRate: input("rate", []),
    decay: optimizer.weightDecay > 0 ? input("decay") : undefined,
    scalars: Object.fromEntries(Object.keys(optimizer.scalars).map((s) => [s, input(s, [])])),
  });
  b.output(next.parameters, "next");
  next.slots.forEach((v, i) => {
    b.output(v, `next.${optimizer.slots[i]}`);
  });
  const graph = b.build();
  const tensor = (at: Float64Array) => Tensor.from("float64", [SIZE], at);
  let state = new Map([["parameters", tensor(vector(0))]]);
  for (const slot of optimizer.slots) state.set(slot, Tensor.zeros("float64", [SIZE]));
  return rates.map((rate, i) => {
    const feeds = new Map(state);
    feeds.set("gradient", tensor(vector(i + 1)));
    feeds.set("rate", Tensor.scalar("float64", rate));
    feeds.set("decay", tensor(decayed(optimizer.weightDecay)));
    for (const [s, f] of Object.entries(optimizer.scalars)) feeds.set(s, Tensor.scalar("float64", f(i + 1)));
    const values = evaluateGraph(graph, feeds);
    state = new Map(optimizer.slots.map((s) => [s, values.get(`next.${s}`)!]));
    state.set("parameters", values.get("next")!);
    return values.get("next")!.data as Float64Array;
  });
}

function expectSteps(got: readonly Float64Array[], want: readonly Float64Array[]): void {
  got.forEach((at, i) => {
    const [a, b] = [at, want[i]!].map((v) => Tensor.from("float64", [SIZE], v)) as [Tensor, Tensor];
    expectClose(a, b, 1e-12, `step ${i + 1}`);
  });
}

/** torch.optim.SGD's documentation, dampening 0, element by element. */
function plainSgd({
  momentum,
  nesterov,
  weightDecay,
}: {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
}) {
  const [w, v, decay] = [vector(0), new Float64Array(SIZE), decayed(weightDecay)];
  return rates.map((rate, step) => {
    const gradient = vector(step + 1);
    for (let i = 0; i < SIZE; i++) {
      const g = gradient[i]! + decay[i]! * w[i]!;
      // b₁ = g₁ there, which is momentum·0 + g₁ here.
      v[i] = momentum * v[i]! + g;
      w[i]! -= rate * (nesterov ? g + momentum * v[i]! : v[i]!);
    }
    return Float64Array.from(w);
  });
}

/** torch.optim.AdamW's documentation: the decay is taken off before the step. */
function plainAdamW(beta1: number, beta2: number, eps: number, weightDecay: number) {
  const [w, m, v, decay] = [vector(0), new Float64Array(SIZE), new Float64Array(SIZE), decayed(weightDecay)];
  return rates.map((rate, step) => {
    const gradient = vector(step + 1);
    const t = step + 1;
    for (let i = 0; i < SIZE; i++) {
      w[i]! -= rate * decay[i]! * w[i]!;
      m[i] = beta1 * m[i]! + (1 - beta1) * gradient[i]!;
      v[i] = beta2 * v[i]! + (1 - beta2) * gradient[i]! ** 2;
      w[i]! -= (rate * (m[i]! / (1 - beta1 ** t))) / (Math.sqrt(v[i]! / (1 - beta2 ** t)) + eps);
    }
    return Float64Array.from(w);
  });
}

describe("sgd", () => {
  it.each([
    { momentum: 0.9, nesterov: true, weightDecay: 5e-2 },
    { momentum: 0.9, nesterov: false, weightDecay: 5e-2 },
    { momentum: 0.5, nesterov: true, weightDecay: 0 },
    { momentum: 0, nesterov: false, weightDecay: 0 },
  ])("equals PyTorch's rule: $momentum, Nesterov $nesterov, decay $weightDecay", (options) => {
    expectSteps(run(sgd(options)), plainSgd(options));
  });

  it("defaults to Nesterov momentum 0.9 and weight decay 5e-4", () => {
    expectSteps(run(sgd()), plainSgd({ momentum: 0.9, nesterov: true, weightDecay: 5e-4 }));
  });
});

describe("adamw", () => {
  it.each([
    [0.9, 0.999, 1e-8, 0.1],
    [0.8, 0.95, 1e-3, 0],
  ] as const)("equals PyTorch's rule: β %d, %d, ε %d, decay %d", (beta1, beta2, eps, weightDecay) => {
    expectSteps(run(adamw({ beta1, beta2, eps, weightDecay })), plainAdamW(beta1, beta2, eps, weightDecay));
  });

  it("has PyTorch's defaults", () => {
    expectSteps(run(adamw()), plainAdamW(0.9, 0.999, 1e-8, 0.01));
  });

  it("moves every parameter by about the learning rate at first, whatever the gradient's scale", () => {
    const [first] = run(adamw({ weightDecay: 0 }));
    first!.forEach((w, i) => {
      expect(Math.abs(w - vector(0)[i]!)).toBeCloseTo(rates[0]!, 6);
    });
  });
});
