/*
 * Conv in two dimensions with weights that are computed → the same in three, with the batch as depth: x (N, C, H, W) as
 * (1, C, N, H, W), kernels (M, C/g, 1, k, k). Each output is the same sum. The engine's CPU kernels multiply the weights with one
 * image's pixels at a time, and read all weights again for each: where they are many and the pixels few, one product over
 * the pixels of all images takes half of the time, the two transpositions counted (docs/decisions.md). Constant weights have
 * better kernels, so this is for training.
 */
import { isStatic } from "../base/dims.js";
import type { Value } from "../graph/builder.js";
import { type Graph, intAttr, type Node } from "../graph/ir.js";
import { conv, reshape, transpose } from "../ops/emit.js";
import { rebuild } from "../ops/rebuild.js";
import { windowOf } from "../ops/window.js";

/** Weights to a pixel of the output above which it pays; measured from 16 (no) to 6,000 (yes), where it turns. */
const WEIGHTS_PER_PIXEL = 1024;

export function batchAsDepth(graph: Graph): Graph {
  const candidate = (node: Node) =>
    node.op === "Conv" && node.domain === "" && !graph.initializers.has(node.inputs[1]!);
  if (!graph.nodes.some(candidate)) return graph;
  return rebuild(graph, (node, inputs, b) => {
    if (!candidate(node)) return undefined;
    const [x, w, bias] = inputs as [Value, Value, Value | undefined];
    if (x.rank !== 4 || !isStatic(x.shape) || !isStatic(w.shape)) return undefined;
    const [n, c, ...image] = x.dims as [number, number, number, number];
    const [m, perGroup, ...kernel] = w.dims as [number, number, number, number];
    if (n === 1 || kernel.every((k) => k === 1)) return undefined;
    const { out, strides, dilations, begins, ends } = windowOf(node, x.shape, kernel);
    const size = out as readonly number[];
    if (m * perGroup * area(kernel) < WEIGHTS_PER_PIXEL * area(size)) return undefined;
    const attributes = {
      group: intAttr(node, "group", 1),
      strides: [1, ...strides],
      dilations: [1, ...dilations],
      pads: [0, ...begins, 0, ...ends],
    };
    return b.scope(node.name, () => {
      const deepX = reshape(transpose(x, channelsFirst), [1, c, n, ...image]);
      const y = conv(deepX, reshape(w, [m, perGroup, 1, ...kernel]), bias, attributes);
      return [transpose(reshape(y, [m, n, ...size]), channelsFirst)];
    });
  }).graph;
}

/** (N, C, H, W) ↔ (C, N, H, W). */
const channelsFirst = [1, 0, 2, 3];

const area = ([h, w]: readonly number[]): number => h! * w!;
