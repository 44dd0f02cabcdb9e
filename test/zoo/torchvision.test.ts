import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { verify } from "../../src/graph/verify.js";
import { nodeEngine } from "../../src/host/node/ort.js";
import { bindSizes } from "../../src/ops/bind.js";
import { costOf } from "../../src/ops/cost.js";
import { operators } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { trainableParts } from "../../src/train/parts.js";
import { architecture, architectures } from "../../src/zoo/index.js";
import { formulaImage, withFormulaWeights } from "./formula-weights.js";

interface Fixture {
  readonly parameters: number;
  readonly tensors: number;
  readonly shapes: string;
  readonly macs: { readonly conv: number; readonly linear: number };
  readonly gain: number;
  readonly deviation: number;
  readonly logits: readonly number[];
}

/** Made by describe_torchvision.py, which says with which versions. */
const fixture = JSON.parse(readFileSync(new URL("./torchvision.json", import.meta.url), "utf8")) as {
  readonly size: number;
  readonly models: Readonly<Record<string, Fixture>>;
};
const { size, models } = fixture;
const engine = nodeEngine();

describe.each(Object.entries(models))("%s beside torchvision's", (name, theirs) => {
  const graph = architecture(name)({ init: "zeros" });

  it("has its parameters and statistics, by name, shape and number", () => {
    verify(graph, operators);
    const { parameters, statistics } = trainableParts(graph);
    const all = [...parameters, ...statistics];
    expect([...parameters.values()].reduce((sum, t) => sum + t.size, 0)).toBe(theirs.parameters);
    expect(all).toHaveLength(theirs.tensors);
    const lines = all.map(([n, t]) => `${n} ${t.dims.join()}`).sort();
    expect(createHash("sha256").update(lines.join("\n")).digest("hex")).toBe(theirs.shapes);
  });

  it("has the multiply-adds that fvcore counts for convolutions and linear layers, and no others", () => {
    const { nodes, macs, uncounted } = costOf(bindSizes(graph, new Map([["N", 1]])));
    const of = (op: string) =>
      nodes.filter((n) => n.node.op === op).reduce((sum, n) => sum + Number(n.macs), 0);
    expect({ conv: of("Conv"), linear: of("Gemm") }).toEqual(theirs.macs);
    expect(macs).toBe(theirs.macs.conv + theirs.macs.linear);
    expect(uncounted).toEqual([]);
  });

  it("answers with the same logits from the same weights", async () => {
    const session = await engine.open(lower(withFormulaWeights(graph, theirs.gain)));
    const logits = (await session.run(new Map([["input", formulaImage(size)]]))).get("logits")!.numbers();
    await session.release();
    // By the size of the logits, which is not far from one.
    expect(theirs.deviation).toBeGreaterThan(0.1);
    const errors = theirs.logits.map((v, i) => Math.abs(logits[i]! - v));
    expect(Math.max(...errors)).toBeLessThan(1e-4 * Math.min(1, theirs.deviation));
  });
});

it("torchvision has no network of the zoo that is not compared", () => {
  const compared = new Set(Object.keys(models).map((n) => n.replaceAll("_", "-")));
  const others = Object.entries(architectures).filter(([n, { size }]) => size === 224 && !compared.has(n));
  expect(others.map(([n]) => n)).toEqual([]);
});
