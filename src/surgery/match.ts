import type { Shape } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { type Graph, intAttr, type Node, stringAttr } from "../graph/ir.js";
import { consumers } from "../graph/walk.js";
import { checkScconv, type ScconvSettings } from "../nn/scconv.js";
import { type Window, windowOf } from "../ops/window.js";
import { fitGroups } from "./fit-groups.js";

/** A convolution of the network, and whether a unit can take its place. */
export interface Candidate {
  readonly node: Node;
  readonly name: string;
  readonly swappable: boolean;
  /** Why not. */
  readonly reason?: string | undefined;
  /** The unit's settings, adapted to the widths. */
  readonly settings?: ScconvSettings;
  readonly channels?: readonly [input: number, output: number];
  readonly adapted: readonly string[];
}

export const convName = (node: Node): string => node.name || node.outputs[0]!;

/**
 * Every convolution, in graph order, with the unit's settings (one for all, or by name) fitted to it or the reason why it stays. `graph` must have
 * its types inferred.
 */
export function matchConvolutions(
  graph: Graph,
  settings: ScconvSettings | ((layer: string) => ScconvSettings),
): Candidate[] {
  const readers = consumers(graph);
  const types = typesOf(graph);
  const convolutions = graph.nodes.filter((n) => n.op === "Conv" && n.domain === "");
  return convolutions.map((node, i): Candidate => {
    const name = convName(node);
    const stay = (reason: string): Candidate => ({ node, name, swappable: false, reason, adapted: [] });
    const weight = graph.initializers.get(node.inputs[1] ?? "");
    const x = types.get(node.inputs[0]!);
    if (!weight) return stay("its weights are computed in the graph");
    if (weight.dims.length !== 4) return stay(`it is ${weight.dims.length - 2}-dimensional`);
    const [output, perGroup, k, k2] = weight.dims as [number, number, number, number];
    if (k === 1 && k2 === 1) return stay("it is point-wise (1×1)");
    if (k !== k2 || k % 2 === 0) return stay(`its kernel is ${k}×${k2}, not odd and square`);
    const group = intAttr(node, "group", 1);
    if (group !== 1)
      return stay(group === output && perGroup === 1 ? "it is depthwise" : `it has ${group} groups`);
    if (weight.dtype !== "float32") return stay(`its weights are ${weight.dtype}`);
    if ((readers.get(node.inputs[1]!)?.length ?? 0) > 1)
      return stay("its weights are shared with another node");
    if (i === 0) return stay("it is the network's first convolution");
    if (!x) return stay("the shape of its input is not known");
    const window = windowOf(node, x, [k, k2]);
    const [stride, dilation] = [window.strides[0]!, window.dilations[0]!];
    if (window.strides[1] !== stride) return stay(`its strides differ (${window.strides.join("×")})`);
    if (window.dilations[1] !== dilation) return stay(`its dilations differ (${window.dilations.join("×")})`);
    if (!keepsSize(window, x.slice(2), stringAttr(node, "auto_pad", "NOTSET"))) {
      return stay("its output size is not ⌈input/stride⌉ (other padding)");
    }
    const channels = [perGroup, output] as const;
    const wanted = typeof settings === "function" ? settings(name) : settings;
    const { adapted, settings: own } = fitGroups(channels, { ...wanted, kernel: k, stride, dilation });
    try {
      checkScconv(perGroup, output, own, name);
    } catch (error) {
      if (!(error instanceof ScconvError)) throw error;
      const { got, need } = error.facts;
      return stay(`the unit does not fit: ${got ?? "?"}, need ${need ?? "?"}`);
    }
    return { node, name, swappable: true, settings: own, channels, adapted };
  });
}

/** Whether the output is ⌈size/stride⌉; where the size is not known, whether it is for every size. */
function keepsSize(window: Window, sizes: Shape, autoPad: string): boolean {
  const { out, begins, ends, kernel, dilations, strides } = window;
  return out.every((o, i) => {
    const size = sizes[i]!;
    if (typeof o === "number" && typeof size === "number") return o === Math.ceil(size / strides[i]!);
    return autoPad.startsWith("SAME") || begins[i]! + ends[i]! === dilations[i]! * (kernel[i]! - 1);
  });
}

/** Types of all values, by name. */
export function typesOf(graph: Graph): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  for (const [name, t] of graph.types) if (t.shape) shapes.set(name, t.shape);
  for (const info of [...graph.inputs, ...graph.outputs])
    if (info.type?.shape) shapes.set(info.name, info.type.shape);
  return shapes;
}
