import { isStatic } from "../base/dims.js";
import type { GraphBuilder, Value } from "../graph/builder.js";
import { float, type Graph, intAttr, type Node } from "../graph/ir.js";
import { consumers, producers } from "../graph/walk.js";
import { SCCONV_DOMAIN } from "../ops/emit.js";
import { kernelOf, windowOf } from "../ops/window.js";
import { isBatchNorm } from "./parts.js";

/** Batch norms as they are trained: with the statistics of the batch. */
export interface BatchNorms {
  /** y, and the batch's mean and biased variance. */
  emit(node: Node, inputs: readonly Value[]): readonly Value[];
  /** Convolutions whose results nothing reads any more, for their batch norm does their work. */
  readonly replaced: ReadonlySet<Node>;
}

/**
 * More multiply-adds to an element of the result do not pay for what a point-wise convolution and its batch norm save as one
 * operator, a dozen passes over memory and an activation that is kept. ResNet-50, batch 16: 32 to 170 in its first three stages (0.6 to 1.0 of
 * the time), 925 in the last one (1.6).
 */
const MOST_WORK = 200;

/** Of the student `graph`, which is being copied into `b`. */
export function batchNorms(b: GraphBuilder, graph: Graph): BatchNorms {
  const replaced = new Set<Node>();
  const alone = readByOneBatchNorm(graph);
  return {
    replaced,
    emit(node, inputs) {
      const [x, gamma, beta] = inputs as [Value, Value, Value];
      const epsilon = node.attributes.get("epsilon") ?? float(1e-5);
      const options = { name: node.name, outputs: 3 };
      const made = alone.has(node) ? b.nodes.findLast((n) => n.outputs[0] === x.name) : undefined;
      if (made && isWidening(b, made)) {
        replaced.add(made);
        const from = made.inputs.slice(0, 2).map((name) => b.value(name));
        const whole = { ...options, domain: SCCONV_DOMAIN, outputs: 6 };
        return b.addMany("PointwiseBatchNorm", [...from, gamma, beta], { epsilon }, whole).slice(0, 3);
      }
      // Momentum 0 leaves nothing of the running statistics.
      return b.addMany(
        "BatchNormalization",
        inputs,
        { epsilon, momentum: float(0), training_mode: 1 },
        options,
      );
    },
  };
}

/** Batch norms that alone read what a convolution gives. */
function readByOneBatchNorm(graph: Graph): Set<Node> {
  const maker = producers(graph);
  const readers = consumers(graph);
  const given = new Set(graph.outputs.map((o) => o.name));
  return new Set(
    graph.nodes.filter((node) => {
      const [x] = node.inputs as [string];
      return (
        isBatchNorm(node) && maker.get(x)?.op === "Conv" && readers.get(x)!.length === 1 && !given.has(x)
      );
    }),
  );
}

/** Whether it is a convolution of one pixel, without a bias, that reads so few channels that their covariance is little work. */
function isWidening(b: GraphBuilder, node: Node): boolean {
  if (node.op !== "Conv" || node.domain !== "" || intAttr(node, "group", 1) !== 1) return false;
  const shapes = [node.inputs[0]!, node.inputs[1]!, node.outputs[0]!].map((name) => b.value(name).shape);
  if (!shapes.every(isStatic)) return false;
  const [x, w, y] = shapes as [readonly number[], readonly number[], readonly number[]];
  const { kernel, strides, begins, ends } = windowOf(node, x, kernelOf(node, w));
  const pointwise =
    [...kernel, ...strides].every((s) => s === 1) && [...begins, ...ends].every((p) => p === 0);
  if (!pointwise || node.inputs.length > 2) return false;
  const [k, c] = w as [number, number];
  const pixels = y.reduce((a, d) => a * d, 1) / k;
  return 2 * c * c * (1 / k + 1 / pixels) <= MOST_WORK;
}
