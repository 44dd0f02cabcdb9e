import { describe, expect, it } from "vitest";
import { Tensor } from "../../src/base/tensor.js";
import { evaluateGraph } from "../../src/ops/evaluate.js";
import { graphBuilder } from "../../src/ops/index.js";
import { flatLayout, pack, spreadOver, unpack, unpackValues } from "../../src/train/flat.js";
import { decays } from "../../src/train/parts.js";

const counting = (dims: readonly number[], from: number) => {
  const size = dims.reduce((a, d) => a * d, 1);
  return Tensor.from(
    "float32",
    dims,
    Array.from({ length: size }, (_, i) => from + i),
  );
};
const tensors = new Map([
  ["conv", counting([2, 1, 3], 0)],
  ["scale", counting([4], 6)],
  ["scalar", counting([], 10)],
]);
const layout = flatLayout([...tensors].map(([n, t]) => [n, t.dims]));
const plain = (map: ReadonlyMap<string, Tensor>) => [...map].map(([n, t]) => [n, t.dims, [...t.bytes]]);

describe("the flat layout", () => {
  it("puts tensors one after another, in order, without gaps", () => {
    expect(layout.size).toBe(11);
    expect(layout.entries.map((e) => e.at)).toEqual([0, 6, 10]);
    expect(Array.from(pack(layout, tensors).numbers())).toEqual([...Array(11).keys()]);
  });

  it("unpacks what was packed, copied", () => {
    const flat = pack(layout, tensors);
    const back = unpack(layout, flat);
    expect(plain(back)).toEqual(plain(tensors));
    (flat.data as Float32Array).fill(-1);
    expect(plain(back)).toEqual(plain(tensors));
  });

  it("is cut up inside a graph in the same way", () => {
    const b = graphBuilder();
    const parts = unpackValues(layout, b.input("flat", "float32", [layout.size]));
    const values = evaluateGraph(b.build(), new Map([["flat", pack(layout, tensors)]]));
    const cut = new Map([...parts].map(([n, v]) => [n, values.get(v.name)!]));
    expect(plain(cut)).toEqual(plain(tensors));
  });

  it("packs other element types as numbers", () => {
    const half = new Map([...tensors].map(([n, t]) => [n, t.cast("float16")]));
    expect(Array.from(pack(layout, half).numbers())).toEqual([...Array(11).keys()]);
  });

  it("holds a single tensor, and none", () => {
    const one = flatLayout([["w", [2]]]);
    const b = graphBuilder();
    expect([...unpackValues(one, b.input("flat", "float32", [2])).keys()]).toEqual(["w"]);
    expect(flatLayout([])).toEqual({ entries: [], size: 0 });
  });

  it("spreads weight decay over weights alone", () => {
    const spread = spreadOver(layout, (_, dims) => (decays(dims) ? 0.5 : 0));
    expect(Array.from(spread.numbers())).toEqual([...Array(6).fill(0.5), 0, 0, 0, 0, 0]);
  });
});
