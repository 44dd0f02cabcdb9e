import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { classificationLoss, correct, type LossSettings } from "../../src/train/loss.js";

const N = 4;
const K = 5;
const labels = [2, 0, 4, 2];
const draw = (key: number): Float64Array => {
  const random = new Random(13, key);
  return Float64Array.from({ length: N * K }, () => 3 * random.normal());
};
const student = draw(1);
const teacher = draw(2);

const softmax = (row: ArrayLike<number>, temperature: number): number[] => {
  const exps = Array.from(row, (v) => Math.exp(v / temperature));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((e) => e / sum);
};
const row = (at: Float64Array, i: number) => at.subarray(i * K, (i + 1) * K);

/** As the papers write it: Szegedy et al. 2016, §7; Hinton et al. 2015, §2. */
function reference(logits: Float64Array, settings: LossSettings, distilled: boolean): number {
  const { labelSmoothing: e = 0, temperature: t = 4, distillWeight = 0.9 } = settings;
  const weight = distilled ? distillWeight : 0;
  let loss = 0;
  for (let i = 0; i < N; i++) {
    const p = softmax(row(logits, i), 1);
    const soft = softmax(row(logits, i), t);
    const target = softmax(row(teacher, i), t);
    for (let k = 0; k < K; k++) {
      const q = (k === labels[i] ? 1 - e : 0) + e / K;
      loss -= ((1 - weight) * q * Math.log(p[k]!)) / N;
      loss -= (weight * t * t * target[k]! * Math.log(soft[k]!)) / N;
    }
  }
  return loss;
}

function graphOf(settings: LossSettings, distilled: boolean) {
  const b = graphBuilder();
  const logits = b.input("logits", "float64", [N, K]);
  const hidden = distilled ? b.input("teacher", "float64", [N, K]) : undefined;
  const classes = b.input("labels", "int32", [N]);
  const loss = classificationLoss(logits, classes, hidden, settings);
  const [gradient] = differentiate(b, loss, [logits]);
  b.output(loss, "loss");
  b.output(gradient!, "gradient");
  b.output(correct(logits, classes), "correct");
  const graph = b.build();
  return (at: Float64Array) =>
    evaluateGraph(
      graph,
      new Map([
        ["logits", Tensor.from("float64", [N, K], at)],
        ["teacher", Tensor.from("float64", [N, K], teacher)],
        ["labels", Tensor.from("int32", [N], labels)],
      ]),
    );
}

const cases: readonly [string, LossSettings, boolean][] = [
  ["cross entropy", {}, false],
  ["label smoothing 0.1", { labelSmoothing: 0.1 }, false],
  ["distillation, T = 4, 0.9", {}, true],
  ["distillation, T = 1, 0.5, smoothed", { temperature: 1, distillWeight: 0.5, labelSmoothing: 0.2 }, true],
  ["distillation alone", { temperature: 2, distillWeight: 1 }, true],
  ["a teacher of weight 0", { distillWeight: 0 }, true],
];

describe.each(cases)("%s", (_, settings, distilled) => {
  const run = graphOf(settings, distilled);

  it("is the papers' formula", () => {
    expect(run(student).get("loss")!.data[0]).toBeCloseTo(reference(student, settings, distilled), 12);
  });

  it("has its gradient", () => {
    const gradient = run(student).get("gradient")!.data as Float64Array;
    for (let i = 0; i < N * K; i++) {
      const moved = (h: number) => {
        const at = Float64Array.from(student);
        at[i]! += h;
        return reference(at, settings, distilled);
      };
      expect(gradient[i]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 8);
    }
    // Logits have no scale of their own: the gradient of every row sums to zero.
    for (let i = 0; i < N; i++) expect(row(gradient, i).reduce((a, b) => a + b)).toBeCloseTo(0, 12);
  });
});

describe("cross entropy", () => {
  it("stays finite where a softmax by itself would not", () => {
    const far = Float64Array.from({ length: N * K }, (_, i) => (i % K === 0 ? 1e4 : -1e4));
    const values = graphOf({}, false)(far);
    expect(values.get("loss")!.data[0]).toBeCloseTo(2e4 * 0.75, 6);
    expect((values.get("gradient")!.data as Float64Array).every(Number.isFinite)).toBe(true);
  });

  it("counts hits", () => {
    const at = Float64Array.from({ length: N * K }, (_, i) => (i % K === labels[Math.floor(i / K)] ? 9 : 0));
    at[3] = 10;
    at[0] = 50;
    // Rows 1 to 3 have their label on top; row 0 has 50 at class 0 and its label is 2.
    expect(graphOf({}, false)(at).get("correct")!.data[0]).toBe(3);
  });
});
