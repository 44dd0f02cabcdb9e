import { beforeAll, expect, it } from "vitest";
import { type DType, dtypes } from "../../src/base/dtype.js";
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

/** The same of every element type that an engine takes. */
const feedable = (Object.keys(dtypes) as DType[]).filter((dtype) => dtype !== "bfloat16");
function same(): Graph {
  const b = graphBuilder({ name: "same" });
  for (const dtype of feedable)
    b.output(b.add("Identity", [b.input(dtype, dtype, ["N", 2])]), `${dtype}.out`);
  return b.build();
}

/** A product whose inner sizes must agree, which only a run can tell. */
function product(): Graph {
  const b = graphBuilder({ name: "product" });
  b.output(b.add("MatMul", [b.input("a", "float32", ["N", "K"]), b.input("b", "float32", ["L", "M"])]), "y");
  return b.build();
}

export interface EngineTraits {
  /** Whether a session may have threads of its own; else all have the engine's, and other numbers are refused. */
  readonly threadsOfSessions: boolean;
}

/** What every engine keeps to (src/runtime/session.ts). */
export function engineCases(make: () => Engine | Promise<Engine>, { threadsOfSessions }: EngineTraits): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await make();
  });

  it("says what it is", () => {
    expect(engine.runtime).toMatch(/^\S+ \d+\.\d+\.\d+/);
    expect(engine.provider).not.toBe("");
    expect(engine.threads).toBeGreaterThanOrEqual(1);
    for (const note of engine.notes) expect(note).toMatch(/^[^\n]+$/);
  });

  it("takes and gives every element type, bit for bit, and tensors without elements", async () => {
    const session = await engine.open(same());
    for (const n of [2, 0]) {
      const inputs = new Map(
        feedable.map((dtype) => [dtype, Tensor.from(dtype, [n, 2], [0, 1, 2, 3].slice(0, 2 * n))]),
      );
      const results = await session.run(inputs);
      for (const dtype of feedable) {
        const [given, got] = [inputs.get(dtype)!, results.get(`${dtype}.out`)!];
        expect([got.dtype, got.dims]).toEqual([dtype, [n, 2]]);
        expect(got.data.constructor, dtype).toBe(given.data.constructor);
        expect([...got.bytes], dtype).toEqual([...given.bytes]);
      }
    }
    await session.release();
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

  it("writes several fetches in any order, also into what was fed a run ago", async () => {
    const session = await engine.open(affine());
    let [state, spare] = [rows(1, 1), rows(1, 0)];
    const sum = Tensor.zeros("float32", []);
    for (let step = 0; step < 3; step++) {
      const inputs = new Map([
        ["a", rows(1, 1)],
        ["b", state],
      ]);
      await session.run(
        inputs,
        new Map([
          ["sum", sum],
          ["y", spare],
        ]),
      );
      [state, spare] = [spare, state];
    }
    // 1 + 3·(1, 2, 3).
    expect(numbers(state)).toEqual([4, 7, 10]);
    expect(numbers(sum)).toEqual([21]);
    await session.release();
  });

  it("refuses results that the graph does not have, and reads no feed that it has no input for", async () => {
    const session = await engine.open(affine());
    await expect(session.run(feeds(1), new Map([["z", rows(1, 0)]]))).rejects.toMatchObject({
      code: "engine",
    });
    await expect(
      session.run(feeds(1), new Map([["y", Tensor.zeros("int32", [1, 3])]])),
    ).rejects.toMatchObject({
      code: "engine",
    });
    expect(numbers((await session.run(feeds(1))).get("sum"))).toEqual([36]);
    await session.release();
  });

  it("survives a run that fails inside the graph", async () => {
    const session = await engine.open(product());
    const run = (k: number, l: number) =>
      session.run(
        new Map([
          ["a", Tensor.from("float32", [1, k], new Array(k).fill(2))],
          ["b", Tensor.from("float32", [l, 1], new Array(l).fill(3))],
        ]),
      );
    await expect(run(2, 3)).rejects.toThrowError(/^the engine could not run the model, got [^\n]+$/);
    expect(numbers((await run(2, 2)).get("y"))).toEqual([12]);
    await session.release();
  });

  it("gives runs that were asked for side by side their own results, within and across sessions", async () => {
    const [one, two] = [await engine.open(affine()), await engine.open(product())];
    const column = Tensor.from("float32", [3, 1], [1, 1, 1]);
    const all = await Promise.all(
      [1, 2, 3, 4].flatMap((value) => [
        one.run(feeds(1).set("a", rows(1, value)).set("b", rows(1, 0))),
        two.run(new Map([["a", rows(2, value)]]).set("b", column)),
      ]),
    );
    expect(all.map((r) => numbers(r.get("y")))).toEqual(
      [1, 2, 3, 4].flatMap((v) => [
        [v, 2 * v, 3 * v],
        [3 * v, 3 * v],
      ]),
    );
    await one.release();
    // One that is released takes nothing with it, and is none any more.
    const left = await two.run(new Map([["a", rows(1, 5)]]).set("b", column));
    expect(numbers(left.get("y"))).toEqual([15]);
    await expect(one.run(feeds(1))).rejects.toMatchObject({ name: "ScconvError", code: "engine" });
    await two.release();
  });

  it("keeps results the same for the same feeds", async () => {
    const session = await engine.open(affine(), { threads: engine.threads, optimisation: "none" });
    const [a, b] = [await session.run(feeds(3)), await session.run(feeds(3))];
    expect(numbers(a.get("y"))).toEqual(numbers(b.get("y")));
    await session.release();
  });

  it(`${threadsOfSessions ? "gives" : "refuses"} a session threads of its own`, async () => {
    const opened = engine.open(affine(), { threads: engine.threads + 1 });
    if (!threadsOfSessions) {
      await expect(opened).rejects.toMatchObject({ name: "ScconvError", code: "unsupported" });
      return;
    }
    const session = await opened;
    expect(numbers((await session.run(feeds(1))).get("sum"))).toEqual([36]);
    await session.release();
  });
}
