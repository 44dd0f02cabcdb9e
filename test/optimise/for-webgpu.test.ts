import { describe, expect, it } from "vitest";
import { differentiate } from "../../src/grad/differentiate.js";
import { decodeModel, encodeModel } from "../../src/graph/codec.js";
import type { Graph } from "../../src/graph/ir.js";
import { modelOf } from "../../src/graph/model.js";
import { split } from "../../src/ops/emit.js";
import { graphBuilder } from "../../src/ops/index.js";
import { lower } from "../../src/ops/lower.js";
import { forWebgpu } from "../../src/optimise/not-for-webgpu.js";

const bytes = (graph: Graph) => encodeModel(modelOf(graph));
const types = (model: Uint8Array, names: readonly string[]) =>
  decodeModel(model)
    .graph.nodes.filter((n) => names.includes(n.name))
    .map((n) => n.op);

/** A convolution in groups and the gradient of its weights. */
function grouped(group: number): Graph {
  const b = graphBuilder();
  const x = b.input("x", "float32", [2, 8, 6, 6]);
  const w = b.input("w", "float32", [8, 8 / group, 3, 3]);
  const y = b.add("Conv", [x, w], { pads: [1, 1, 1, 1], group });
  const [gradient] = differentiate(b, undefined, [w], {
    seeds: new Map([[y, b.input("dy", "float32", [2, 8, 6, 6])]]),
  });
  b.output(gradient!, "gradient");
  return lower(b.build());
}

function pieces(n: number): Graph {
  const b = graphBuilder();
  for (const [i, v] of split(b.input("x", "float32", [2 * n]), new Array(n).fill(2), 0).entries()) {
    b.output(v, `y${i}`);
  }
  return b.build();
}

/** One convolution of (1, 4, 6, 6) to `to` channels. */
function depthwise(to: number): Graph {
  const b = graphBuilder();
  const x = b.input("x", "float32", [1, 4, 6, 6]);
  b.output(b.add("Conv", [x, b.input("w", "float32", [to, 1, 3, 3])], { group: 4 }), "y");
  return b.build();
}

describe("nodes that WebGPU computes wrongly", () => {
  it("are convolutions in groups whose vectors of channels reach into the next group", () => {
    // Of one channel, of three, and of eight to a group; of 36 and of 10 the vectors are of four and of two.
    for (const to of [4, 12, 32]) expect(forWebgpu(bytes(depthwise(to)), 10).onCpu, `${to}`).toEqual([]);
    for (const to of [20, 24, 36, 40])
      expect(forWebgpu(bytes(depthwise(to)), 10).onCpu, `${to}`).toHaveLength(1);
  });

  it("are convolutions over three axes in groups, and not those of two axes", () => {
    const { bytes: model, onCpu } = forWebgpu(bytes(grouped(2)), 10);
    expect(types(model, onCpu)).toEqual(["Conv"]);
    expect(types(model, ["Conv"])).toEqual(["Conv"]);
    expect(onCpu).not.toContain("Conv");
  });

  it("are Splits into as many pieces as there are buffers", () => {
    const { bytes: model, onCpu } = forWebgpu(bytes(pieces(10)), 10);
    expect(types(model, onCpu)).toEqual(["Split"]);
    expect(forWebgpu(bytes(pieces(9)), 10).onCpu).toEqual([]);
  });

  it("are found by name, though the model has none, or one name twice", () => {
    const graph = pieces(10);
    for (const name of ["", "same"]) {
      const nodes = [...graph.nodes, ...pieces(3).nodes.map((n) => ({ ...n, outputs: ["a", "b", "c"] }))];
      const given = bytes({ ...graph, nodes: nodes.map((n) => ({ ...n, name })) });
      const { bytes: model, onCpu } = forWebgpu(given, 10);
      expect(onCpu).toHaveLength(1);
      expect(types(model, onCpu)).toEqual(["Split"]);
    }
  });

  it("leave what is no model to the engine", () => {
    const nonsense = Uint8Array.from([1, 2, 3]);
    expect(forWebgpu(nonsense, 10)).toEqual({ bytes: nonsense, onCpu: [] });
  });
});
