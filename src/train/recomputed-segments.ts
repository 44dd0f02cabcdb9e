import { dtypes } from "../base/dtype.js";
import { sizeOf } from "../base/tensor.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { Node } from "../graph/ir.js";
import { readsOf } from "../graph/walk.js";

/**
 * What the backward pass makes again: all that is inside of `blocks` (a residual block, or a few), for one more forward pass of
 * work; or what is `elementwise`, from what the convolutions gave, which is kept: most of the work is not done twice.
 */
export type Recomputed = "blocks" | "elementwise";

/** A block ends where one value holds all that follows, once it has made this share of the bytes of the forward pass. */
const SHARE = 1 / 16;

/** Operators whose work is more than passes over their values. */
const DEAR = new Set(["Conv", "ConvTranspose", "MatMul", "Gemm", "PointwiseBatchNorm"]);

/**
 * Cuts a forward pass into segments whose values the backward pass can make again from what enters. `entered` are the values that
 * depend on the batch before the first of `nodes`. The last segment has no number: the backward pass begins with it.
 */
export function recomputedSegments(
  b: GraphBuilder,
  nodes: readonly Node[],
  { entered, what }: { readonly entered: readonly string[]; readonly what: Recomputed },
): Map<Node, number> {
  return what === "blocks" ? blocks(b, nodes, entered) : upToDear(nodes);
}

/** Each segment ends with a convolution, whose result the next one is made from. */
function upToDear(nodes: readonly Node[]): Map<Node, number> {
  let segment = 0;
  const segments = nodes.map((node) => [node, DEAR.has(node.op) ? segment++ : segment] as const);
  return new Map(segments.filter(([, s]) => s < segment));
}

/** Each segment ends where one value holds all that follows. */
function blocks(b: GraphBuilder, nodes: readonly Node[], entered: readonly string[]): Map<Node, number> {
  const last = new Map<string, number>();
  nodes.forEach((node, i) => {
    for (const name of readsOf(node)) last.set(name, i);
  });
  const ofBatch = new Set(entered);
  const bytes = nodes.map((node) => {
    if (!readsOf(node).some((n) => ofBatch.has(n))) return 0;
    let sum = 0;
    for (const out of node.outputs) {
      if (out === "") continue;
      ofBatch.add(out);
      const { dtype, shape = [] } = b.typeOf(out);
      if (shape.every((d) => typeof d === "number")) sum += sizeOf(shape) * dtypes[dtype].bytes;
    }
    return sum;
  });
  const enough = SHARE * bytes.reduce((a, c) => a + c, 0);

  const segments = new Map<Node, number>();
  const crossing = new Set(entered);
  let [segment, made] = [0, 0];
  nodes.forEach((node, i) => {
    segments.set(node, segment);
    made += bytes[i]!;
    for (const out of node.outputs) if (ofBatch.has(out) && (last.get(out) ?? i) > i) crossing.add(out);
    for (const name of readsOf(node)) if (last.get(name) === i) crossing.delete(name);
    if (made < enough || crossing.size !== 1) return;
    [segment, made] = [segment + 1, 0];
  });
  return new Map([...segments].filter(([, s]) => s < segment));
}
