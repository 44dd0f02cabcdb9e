import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { Tensor } from "../../src/base/tensor.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { distillation, hintPoints, relativeSquare } from "../../src/surgery/distill.js";
import { swap } from "../../src/surgery/swap.js";
import { sgd } from "../../src/train/optimizer.js";
import { buildStep } from "../../src/train/step.js";
import { resnetCifar } from "../../src/zoo/resnet-cifar.js";

const teacher = resnetCifar({ depth: 8, widths: [8, 16, 16], size: 8, seed: 1 });
const { graph: student, units } = swap(teacher, { layers: "second", seed: 2 });

describe("relativeSquare", () => {
  it("is ‖y − t‖² / ‖t‖²", () => {
    const random = new Random(3);
    const values = () => Float64Array.from({ length: 24 }, () => random.normal());
    const [y, t] = [values(), values()];
    const b = graphBuilder();
    b.output(
      relativeSquare(b.input("y", "float64", [2, 3, 2, 2]), b.input("t", "float64", [2, 3, 2, 2])),
      "e",
    );
    const feeds = new Map([
      ["y", Tensor.of("float64", [2, 3, 2, 2], y)],
      ["t", Tensor.of("float64", [2, 3, 2, 2], t)],
    ]);
    const square = (v: Float64Array) => v.reduce((s, x) => s + x * x, 0);
    const expected = square(y.map((v, i) => v - t[i]!)) / square(t);
    expect(evaluateGraph(b.build(), feeds).get("e")!.numbers()[0]).toBeCloseTo(expected, 12);
  });
});

describe("hintPoints", () => {
  it("compares behind the addition that takes a unit's output", () => {
    const made = new Map(student.nodes.map((n) => [n.outputs[0]!, n.op]));
    for (const point of hintPoints(student, teacher, units)) expect(made.get(point.student)).toBe("Add");
    expect(hintPoints(student, teacher, units)).toHaveLength(3);
  });
});

describe("distillation", () => {
  const figures = (hintWeight: number) =>
    buildStep({
      ...{ student, teacher, batch: 4, optimizer: sgd() },
      objective: distillation(student, teacher, units, { temperature: 4, distillWeight: 0.9, hintWeight }),
    }).figures;

  it("reports the hints where they have a weight, and only there", () => {
    expect(figures(20)).toContain("hints");
    expect(figures(0)).not.toContain("hints");
  });
});
