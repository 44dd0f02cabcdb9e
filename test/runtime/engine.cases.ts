import { expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import type { Graph } from "../../src/graph/ir.js";
import { add, mul, reduceSum } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import type { Engine } from "../../src/runtime/session.js";

/** a·w + b of (N, 3) and its sum, with w a constant. */
export function affine(): Graph {
  const b = graphBuilder({ name: "affine" });
  const a = b.input("a", "float32", ["N", 3]);
  const c = b.input("b", "float32", ["N", 3]);
  const y = add(mul(a, b.initializer("w", Tensor.from("float32", [3], [1, 2, 3]))), c);
  b.output(y, "y");
  b.output(reduceSum(y, [0, 1], false), "sum");
  return b.build();
}

const rows = (n: number, value: number) =>
  Tensor.from("float32", [n, 3], new Array<number>(3 * n).fill(value));
const feeds = (n: number) =>
  new Map([
    ["a", rows(n, 1)],
    ["b", rows(n, 10)],
  ]);
const numbers = (t: Tensor | undefined) => Array.from(t!.numbers());

/** What every engine keeps to (src/runtime/session.ts). */
export function engineCases(make: () => Engine): void {
  const engine = make();

  it("says what it is", () => {
    expect(engine.runtime).toMatch(/^\S+ \d+\.\d+\.\d+/);
    expect(engine.provider).not.toBe("");
  });

  it("names inputs and outputs in the graph's order; constants are neither", async () => {
    const session = await engine.open(affine());
    expect(session.inputs).toEqual(["a", "b"]);
    expect(session.outputs).toEqual(["y", "sum"]);
    await session.release();
  });

  it("returns all outputs in fresh memory without fetches", async () => {
    const session = await engine.open(affine());
    const first = await session.run(feeds(1));
    const second = await session.run(feeds(2));
    expect([...first.keys()]).toEqual(["y", "sum"]);
    expect(first.get("y")!.dims).toEqual([1, 3]);
    expect(numbers(first.get("y"))).toEqual([11, 12, 13]);
    expect(numbers(first.get("sum"))).toEqual([36]);
    expect(second.get("y")!.dims).toEqual([2, 3]);
    expect(first.get("y")!.bytes.buffer).not.toBe(second.get("y")!.bytes.buffer);
    await session.release();
  });

  it("writes into the tensors of fetches, and computes nothing else", async () => {
    const session = await engine.open(affine());
    const y = Tensor.zeros("float32", [2, 3]);
    const fetches = new Map([["y", y]]);
    const data = y.data;
    for (const value of [10, 20]) {
      const results = await session.run(feeds(2).set("b", rows(2, value)), fetches);
      expect([...results.keys()]).toEqual(["y"]);
      expect(results.get("y")).toBe(y);
      expect(y.data).toBe(data);
      expect(numbers(y)).toEqual([1, 2, 3, 1, 2, 3].map((v) => v + value));
    }
    await session.release();
  });

  it("reads what a tensor holds at the time of the run", async () => {
    const session = await engine.open(affine());
    const inputs = feeds(1);
    await session.run(inputs);
    (inputs.get("a")!.data as Float32Array).fill(5);
    expect(numbers((await session.run(inputs)).get("y"))).toEqual([15, 20, 25]);
    await session.release();
  });

  it("says so as a ScconvError when it cannot: an input is missing, or of another type or shape", async () => {
    const session = await engine.open(affine());
    const bad = [
      new Map([["a", rows(1, 1)]]),
      feeds(1).set("a", Tensor.zeros("float64", [1, 3])),
      feeds(1).set("a", Tensor.zeros("float32", [1, 4])),
    ];
    for (const inputs of bad) {
      await expect(session.run(inputs)).rejects.toMatchObject({ name: "ScconvError", code: "engine" });
    }
    const wrong = new Map([["y", Tensor.zeros("float32", [5, 3])]]);
    await expect(session.run(feeds(1), wrong)).rejects.toMatchObject({ code: "engine" });
    // And is still of use afterwards.
    expect(numbers((await session.run(feeds(1))).get("sum"))).toEqual([36]);
    await session.release();
  });

  it("refuses what it cannot run, in one line", async () => {
    const nonsense = engine.open(Uint8Array.from([1, 2, 3]));
    await expect(nonsense).rejects.toMatchObject({ name: "ScconvError", code: "engine" });
    const b = graphBuilder();
    const x = b.input("x", "float32", [1]);
    b.output(b.add("StopGradient", [x], {}, { domain: "scconv" }), "y");
    await expect(engine.open(b.build())).rejects.toThrowError(/^the engine refused the model, got [^\n]+$/);
  });

  it("takes bfloat16 for what it is: nothing that it can be handed", async () => {
    const session = await engine.open(affine());
    const inputs = feeds(1).set("a", Tensor.zeros("bfloat16", [1, 3]));
    await expect(session.run(inputs)).rejects.toMatchObject({ code: "unsupported" });
    await session.release();
  });

  it("keeps results the same for the same feeds", async () => {
    const session = await engine.open(affine(), { threads: 1, optimisation: "none" });
    const [a, b] = [await session.run(feeds(3)), await session.run(feeds(3))];
    expect(numbers(a.get("y"))).toEqual(numbers(b.get("y")));
    await session.release();
  });
}
