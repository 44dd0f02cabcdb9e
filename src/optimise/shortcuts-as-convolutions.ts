/*
 * Slice (every s-th pixel) → Pad (channels of 0), the shortcut without weights of He et al. 2016 (option A), as one convolution of 1×1
 * with stride s and a matrix of ones and zeros: y = 1·x_c + Σ 0·x. Exact for what is finite. The engine cuts on one thread, leaves its
 * layout for both, and adds a pass for the sum behind them, which a convolution takes in (docs/decisions.md).
 */
import { Tensor } from "../base/tensor.js";
import { attributesFrom, type Graph, type Node } from "../graph/ir.js";
import { namesOf } from "../graph/names.js";
import { consumers, producers, prune } from "../graph/walk.js";
import { zeroPads } from "../graph/zero-pads.js";

/** Multiply-adds to a pixel up to which the convolution is surely cheaper than what it stands for: 64 → 128 channels (docs/decisions.md). */
const MOST = 8192;

interface Shortcut {
  readonly source: string;
  /** Along height and width. */
  readonly strides: readonly [number, number];
  readonly channels: number;
  /** Channels of 0 in front and behind. */
  readonly before: number;
  readonly after: number;
}

export function shortcutsAsConvolutions(graph: Graph): Graph {
  const maker = producers(graph);
  const readers = consumers(graph);
  const given = new Set(graph.outputs.map((o) => o.name));
  const inside = (value: string) => readers.get(value)?.length === 1 && !given.has(value);
  const found = new Map<Node, Shortcut>();
  for (const node of graph.nodes) {
    const pads = zeroPads(graph, node, 4);
    if (!pads || pads.some((p, i) => p > 0 && i % 4 !== 1)) continue;
    let [source, strides]: [string, readonly [number, number]] = [node.inputs[0]!, [1, 1]];
    for (;;) {
      const cut = inside(source) ? subsampling(graph, maker.get(source)) : undefined;
      if (!cut) break;
      [source, strides] = [cut.source, [strides[0] * cut.strides[0], strides[1] * cut.strides[1]]];
    }
    const type = graph.types.get(source);
    const channels = type?.dtype === "float32" && type.shape?.length === 4 ? type.shape[1] : undefined;
    const [before, after] = [pads[1]!, pads[5]!];
    if (strides.every((s) => s === 1) || typeof channels !== "number") continue;
    if (channels * (before + channels + after) > MOST) continue;
    found.set(node, { source, strides, channels, before, after });
  }
  if (found.size === 0) return graph;
  const initializers = new Map(graph.initializers);
  const names = namesOf(graph);
  const nodes = graph.nodes.map((node): Node => {
    const shortcut = found.get(node);
    if (!shortcut) return node;
    const { source, strides, channels: c, before, after } = shortcut;
    const weight = names.fresh(`${node.outputs[0]}.weight`);
    const ones = new Float32Array((before + c + after) * c);
    for (let i = 0; i < c; i++) ones[(before + i) * c + i] = 1;
    initializers.set(weight, Tensor.of("float32", [before + c + after, c, 1, 1], ones));
    const attributes = attributesFrom({ kernel_shape: [1, 1], strides });
    return { ...node, op: "Conv", inputs: [source, weight], attributes };
  });
  return prune({ ...graph, nodes, initializers });
}

/** Of a Slice that keeps every s-th row or column from the first to the last, what it cuts, and s along both axes. */
function subsampling(graph: Graph, node: Node | undefined): Pick<Shortcut, "source" | "strides"> | undefined {
  if (node?.op !== "Slice" || node.domain !== "") return undefined;
  const [source, ...parameters] = node.inputs as [string, ...string[]];
  const shape = graph.types.get(source)?.shape;
  const [starts, ends, axes, steps] = parameters.map((name) => graph.initializers.get(name)?.numbers());
  if (shape?.length !== 4 || !starts || !ends || !axes || !steps) return undefined;
  const strides: [number, number] = [1, 1];
  for (let i = 0; i < axes.length; i++) {
    const axis = axes[i]! < 0 ? axes[i]! + 4 : axes[i]!;
    const size = shape[axis];
    if (axis < 2 || typeof size !== "number" || starts[i] !== 0 || ends[i]! < size || !(steps[i]! >= 1))
      return undefined;
    strides[axis - 2] = steps[i]!;
  }
  return { source, strides };
}
