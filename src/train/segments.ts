import { Tensor } from "../base/tensor.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import { concat, reshape } from "../ops/emit.js";
import { type FlatLayout, flatLayout } from "./flat.js";

/*
 * Vectors of all parameters are few passes for small networks; for large ones they hold every weight, every gradient and
 * every step of the update twice. So a step graph takes such a vector in segments: a large tensor by itself, which is updated as soon as
 * its gradient is there, and small ones together with their neighbours. Segments are views of the one vector that the host carries.
 */

/** A tensor with as many elements is a segment of its own: from here on passes over it cost more than starting them. */
export const OWN_SEGMENT = 2 ** 16;

export interface Segment {
  /** Of the graph's inputs and outputs: "" where there is but one segment. */
  readonly suffix: string;
  /** Where it begins in the vector. */
  readonly at: number;
  /** Its tensors, by their places in the segment. */
  readonly layout: FlatLayout;
}

export function segmentsOf(layout: FlatLayout, own = OWN_SEGMENT): Segment[] {
  const runs: FlatLayout["entries"][number][][] = [];
  let open = false;
  layout.entries.forEach((entry, i) => {
    const end = layout.entries[i + 1]?.at ?? layout.size;
    const large = end - entry.at >= own;
    if (open && !large) runs.at(-1)!.push(entry);
    else runs.push([entry]);
    open = !large;
  });
  return runs.map((entries, i) => ({
    suffix: runs.length === 1 ? "" : `.${i}`,
    at: entries[0]!.at,
    layout: flatLayout(entries.map(({ name, dims }) => [name, dims])),
  }));
}

/** The vector as inputs of the graph, one for each segment. */
export const segmentInputs = (b: GraphBuilder, name: string, segments: readonly Segment[]): Value[] =>
  segments.map(({ suffix, layout }) => b.input(`${name}${suffix}`, "float32", [layout.size]));

/** The gradients of all parameters, in the order of the layout, as one vector for each segment. */
export function segmentVectors(
  b: GraphBuilder,
  { entries }: FlatLayout,
  segments: readonly Segment[],
  gradients: readonly (Value | undefined)[],
): Value[] {
  // The engine walks back from the results and of a node's inputs takes the one first whose node stands last: here the last
  // layer's gradient, then the one before. Of a Reshape of a Reshape it makes one new node, which stands last wherever it
  // came from: then the first layer's gradient came first, with all masks on the way, and many others' after the whole
  // backward pass.
  const reshaped = new Map(
    b.nodes.filter((n) => n.op === "Reshape").map((n) => [n.outputs[0]!, n.inputs[0]!]),
  );
  const pieces = new Map(
    entries.map(({ name, dims }, i) => {
      const whole = gradients[i] ?? b.constant(Tensor.zeros("float32", dims), "no_gradient");
      const before = reshaped.get(whole.name);
      return [name, reshape(before === undefined ? whole : b.value(before), [-1])];
    }),
  );
  return segments.map(({ layout }) =>
    concat(
      layout.entries.map((e) => pieces.get(e.name)!),
      0,
    ),
  );
}

/** Made once for a vector: the engine keeps what it knows of a tensor with the tensor. */
const cuts = new WeakMap<Tensor, readonly Tensor[]>();

/** The vector's segments, views of it, by the names of their inputs. */
export function cutVector(name: string, vector: Tensor, segments: readonly Segment[]): Map<string, Tensor> {
  let views = cuts.get(vector);
  if (!views) {
    const data = vector.data as Float32Array;
    views =
      segments.length === 1
        ? [vector]
        : segments.map(({ at, layout: { size } }) =>
            Tensor.of("float32", [size], data.subarray(at, at + size)),
          );
    cuts.set(vector, views);
  }
  return new Map(views.map((view, i) => [`${name}${segments[i]!.suffix}`, view]));
}
