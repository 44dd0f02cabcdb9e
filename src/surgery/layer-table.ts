import { type Dim, isStatic, type Shape } from "../base/dims.js";
import { dtypes } from "../base/dtype.js";
import { fedInputs } from "../graph/fed-inputs.js";
import { type Graph, opsetOf } from "../graph/ir.js";
import { scconvDefaults } from "../nn/scconv.js";
import { costOf, type GraphCost } from "../ops/cost.js";
import { perImage } from "../ops/per-image.js";
import { convName, matchConvolutions } from "./match.js";

/** A node of the graph: what it costs for one image, and whether SCConv could take its place. */
export interface TableRow {
  readonly name: string;
  readonly op: string;
  readonly inputShape: Shape | undefined;
  readonly outputShape: Shape | undefined;
  readonly parameters: number;
  /** Undefined: not counted. */
  readonly macs: Dim | undefined;
  /** Moved: inputs and outputs. */
  readonly bytes: number | undefined;
  readonly swappable: boolean;
  /** Why not; of convolutions only. */
  readonly reason?: string;
}

export interface LayerTable {
  readonly parameters: number;
  readonly macs: Dim;
  readonly opset: number;
  readonly weightBytes: number;
  readonly layers: readonly TableRow[];
  /** Sizes in `macs` that values decide, with the node that decides and the multiply-adds for each one. */
  readonly open: readonly {
    readonly size: string;
    readonly each: number | undefined;
    readonly from: string;
    readonly op: string;
  }[];
  /** Whether all sizes of inputs are numbers. */
  readonly sized: boolean;
  readonly uncounted: GraphCost["uncounted"];
}

/**
 * All nodes in graph order, and totals. `size` is the height and width where the file leaves them open, `opset` the one to
 * show where `read` has been brought up to another.
 */
export function layerTable(
  read: Graph,
  { size, opset = opsetOf(read) }: { size?: number | undefined; opset?: number } = {},
): LayerTable {
  const graph = perImage(read, size);
  const cost = costOf(graph);
  const candidates = new Map(matchConvolutions(graph, scconvDefaults).map((c) => [c.node, c]));
  const layers = cost.nodes.map(({ node, macs, parameters, bytes, inputShape, outputShape }): TableRow => {
    const candidate = candidates.get(node);
    return {
      name: convName(node),
      op: node.domain ? `${node.domain}.${node.op}` : node.op,
      inputShape,
      outputShape,
      parameters,
      macs,
      bytes,
      swappable: candidate?.swappable ?? false,
      ...(candidate?.reason ? { reason: candidate.reason } : {}),
    };
  });
  return {
    parameters: cost.parameters,
    macs: cost.macs,
    opset,
    weightBytes: weightBytes(graph.initializers.values()),
    layers,
    open: cost.open.map(({ size, each, from }) => ({ size, each, from: convName(from), op: from.op })),
    sized: fedInputs(graph).every(({ type }) => !type?.shape || isStatic(type.shape)),
    uncounted: cost.uncounted,
  };
}

function weightBytes(tensors: Iterable<{ dtype: keyof typeof dtypes; size: number }>): number {
  let total = 0;
  for (const { dtype, size } of tensors) total += size * dtypes[dtype].bytes;
  return total;
}
