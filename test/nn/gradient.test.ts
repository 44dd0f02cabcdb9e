import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.js";
import { sizeOf, Tensor } from "../../src/base/tensor.js";
import { differentiate } from "../../src/grad/differentiate.js";
import { type ScconvSettings, scconv, scconvDefaults, scconvParameters } from "../../src/nn/scconv.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { cruReference, type Features, gatesOf, reconstruct, sruReference, type Weight } from "./reference.js";

const DIMS = [2, 8, 5, 4] as const;
const values = (dims: readonly number[], key: number): Float64Array => {
  const random = new Random(23, key);
  return Float64Array.from({ length: sizeOf(dims) }, () => random.normal());
};

type Point = ReadonlyMap<string, Weight>;
type Forward = (at: Point) => Features;

/** x and all parameters at a random point, the gradients of Σ y ⊙ r there by our rules, and r. */
function byRule(settings: ScconvSettings) {
  const b = graphBuilder();
  const x = b.input("x", "float64", DIMS);
  const y = scconv(x, scconvParameters(x, 8, settings, new Random(1)), settings);
  const names = [...b.initializers.keys()].filter((n) => /^(sru|cru)\..*(weight|bias)$/.test(n));
  const wrt = [x, ...names.map((n) => b.value(n))];
  const r = b.constant(Tensor.from("float64", y.dims, values(y.dims, 99)), "r");
  const gradients = differentiate(b, undefined, wrt, { seeds: new Map([[y, r]]) });
  const point = new Map(wrt.map((v, i) => [v.name, { dims: v.dims, at: values(v.dims, i) }]));
  const feeds = new Map([...point].map(([n, w]) => [n, Tensor.from("float64", w.dims, w.at)]));
  const all = evaluateGraph(b.build(), feeds);
  return {
    point: point as Point,
    weight: values(y.dims, 99),
    gradients: new Map(wrt.map((v, i) => [v.name, gradients[i] && all.get(gradients[i].name)!.numbers()])),
  };
}

const imageOf = (at: Point): Features => {
  const [n, c, h, w] = DIMS;
  return { n, c, h, w, at: at.get("x")!.at as Float64Array };
};

/** Along a random direction in each tensor: by rule against differences of `forward`. */
function expectSame({ point, weight, gradients }: ReturnType<typeof byRule>, forward: Forward): void {
  const loss = (at: Point) => forward(at).at.reduce((sum, v, i) => sum + v * weight[i]!, 0);
  let seed = 500;
  for (const [name, at] of point) {
    const direction = values(at.dims, seed++);
    const moved = (h: number) => {
      const there = Float64Array.from(at.at, (v, i) => v + h * direction[i]!);
      return loss(new Map(point).set(name, { dims: at.dims, at: there }));
    };
    const numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
    const gradient = gradients.get(name);
    const exact = gradient ? direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0) : 0;
    expect(Math.abs(exact - numeric), `d${name}: ${exact} by rule, ${numeric} by differences`).toBeLessThan(
      1e-6 * Math.max(1, Math.abs(numeric)),
    );
  }
}

describe("the gradient of SCConv", () => {
  for (const scope of ["element", "channel"] as const) {
    it(`soft gate, scope ${scope}: of what is written`, () => {
      const settings = { ...scconvDefaults, scope, gate: "soft" } as const;
      expectSame(byRule(settings), (at) =>
        cruReference(sruReference(imageOf(at), at, settings), at, settings),
      );
    });

    it(`straight-through, scope ${scope}: ∂W1/∂s = 1 and ∂W2/∂s = −1 where the gate stands`, () => {
      const settings = { ...scconvDefaults, scope };
      const rules = byRule(settings);
      const s0 = gatesOf(imageOf(rules.point), rules.point, settings).at;
      const open = s0.map((s) => (s > settings.threshold ? 1 : 0));
      const w1 = (s: number, i: number) => open[i]! + (s - s0[i]!);
      expectSame(rules, (at) => {
        const purified = reconstruct(
          imageOf(at),
          gatesOf(imageOf(at), at, settings),
          w1,
          (s, i) => 1 - w1(s, i),
        );
        return cruReference(purified, at, settings);
      });
      const gamma = rules.gradients.get("sru.gn.weight")!;
      expect(Array.from(gamma).some((g) => Math.abs(g) > 1e-3)).toBe(true);
    });

    it(`hard gate, scope ${scope}: nothing through the gate`, () => {
      const settings = { ...scconvDefaults, scope, gate: "hard" } as const;
      const rules = byRule(settings);
      const s0 = gatesOf(imageOf(rules.point), rules.point, settings).at;
      const open = s0.map((s) => (s > settings.threshold ? 1 : 0));
      expectSame(rules, (at) => {
        const image = imageOf(at);
        const purified = reconstruct(
          image,
          image,
          (_, i) => open[i]!,
          (_, i) => 1 - open[i]!,
        );
        return cruReference(purified, at, settings);
      });
      expect(rules.gradients.get("sru.gn.weight")).toBeUndefined();
      expect(rules.gradients.get("sru.gn.bias")).toBeUndefined();
    });
  }

  it("fuse all, no squeeze, alpha 3/4", () => {
    const some = { order: "c", fuse: "all", alpha: 0.75, squeeze: 1, convGroups: 2 } as const;
    const settings = { ...scconvDefaults, ...some };
    expectSame(byRule(settings), (at) => cruReference(imageOf(at), at, settings));
  });
});
