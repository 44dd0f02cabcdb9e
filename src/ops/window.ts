import { addDim, type Dim, divDim, type Shape, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { intAttr, intsAttr, type Node, nodeLabel, stringAttr } from "../graph/ir.js";

/** The sliding window of a convolution or pooling node over `rank` spatial axes. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begins: readonly number[];
  readonly ends: readonly number[];
  /** Output sizes. */
  readonly out: readonly Dim[];
}

/** Kernel sizes: from the weights where known, else from the attribute. */
export function kernelOf(node: Node, weight: Shape): readonly number[] {
  const known = weight.slice(2);
  if (known.every((d) => typeof d === "number")) return known as number[];
  return intsAttr(node, "kernel_shape") ?? known.map(() => 1);
}

/** ⌊(size + pads − (d(k − 1) + 1)) / s⌋ + 1 along each axis; `auto_pad` and `ceil_mode` as ONNX defines them. */
export function windowOf(node: Node, input: Shape, kernel: readonly number[]): Window {
  const rank = kernel.length;
  const ones = new Array<number>(rank).fill(1);
  const strides = intsAttr(node, "strides") ?? ones;
  const dilations = intsAttr(node, "dilations") ?? ones;
  const pads = intsAttr(node, "pads") ?? new Array<number>(2 * rank).fill(0);
  const auto = stringAttr(node, "auto_pad", "NOTSET");
  const ceil = intAttr(node, "ceil_mode", 0) === 1;
  checkWindow(node, input.length - 2, { kernel_shape: kernel, strides, dilations, pads });
  if (!paddings.includes(auto)) {
    const [got, need] = [`"${auto}"`, paddings.join(", ")];
    throw new ScconvError("shape", "its auto_pad is none", { where: nodeLabel(node), got, need });
  }
  const begins: number[] = [];
  const ends: number[] = [];
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const size = input[i + input.length - rank]!;
    const s = strides[i]!;
    const extent = dilations[i]! * (kernel[i]! - 1) + 1;
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
      const o = divDim(addDim(size, s - 1), s);
      // With a symbolic size the padding is known only where it does not depend on the size (stride 1).
      const total =
        typeof size === "number"
          ? Math.max(0, ((o as number) - 1) * s + extent - size)
          : Math.max(0, extent - s);
      const half = Math.floor(total / 2);
      begins.push(auto === "SAME_UPPER" ? half : total - half);
      ends.push(auto === "SAME_UPPER" ? total - half : half);
      out.push(o);
      continue;
    }
    const begin = auto === "VALID" ? 0 : pads[i]!;
    const end = auto === "VALID" ? 0 : pads[i + rank]!;
    begins.push(begin);
    ends.push(end);
    let o = addDim(divDim(addDim(size, begin + end - extent), s, ceil), 1);
    // A ceil-mode window that would start in the end padding is left out; whether one does, a symbol does not always tell.
    if (ceil && typeof o === "number" && typeof size === "number" && (o - 1) * s >= size + begin) o--;
    else if (ceil && typeof size === "string" && end + s > extent) o = unknownDim();
    out.push(o);
  }
  return { kernel, strides, dilations, begins, ends, out };
}

/** Beside any but the first, `pads` have no meaning: the engine ignores them, and so do we. */
const paddings = ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"];

/** Attributes from a file may contradict the rank, or say what cannot be. */
function checkWindow(node: Node, rank: number, lists: Readonly<Record<string, readonly number[]>>): void {
  for (const [name, list] of Object.entries(lists)) {
    const [length, least] = name === "pads" ? [2 * rank, 0] : [rank, 1];
    if (list.length === length && list.every((v) => Number.isSafeInteger(v) && v >= least)) continue;
    throw new ScconvError("shape", `its ${name} cannot be`, {
      where: nodeLabel(node),
      got: list.join("×") || "none",
      need: `${length} numbers from ${least} on`,
    });
  }
}

/** Calls `f(outIndex, kernelIndex, inputIndex)` for every pair of output position and kernel tap inside the input. */
export function forEachTap(
  w: Window,
  input: readonly number[],
  f: (out: number, tap: number, at: number) => void,
): void {
  const rank = w.kernel.length;
  const outs = w.out as readonly number[];
  const outSize = outs.reduce((a, b) => a * b, 1);
  const taps = w.kernel.reduce((a, b) => a * b, 1);
  for (let o = 0; o < outSize; o++) {
    for (let t = 0; t < taps; t++) {
      let at = 0;
      let scale = 1;
      let inside = true;
      for (let axis = rank - 1, ro = o, rt = t; axis >= 0; axis--) {
        const oi = ro % outs[axis]!;
        const ti = rt % w.kernel[axis]!;
        ro = (ro - oi) / outs[axis]!;
        rt = (rt - ti) / w.kernel[axis]!;
        const p = oi * w.strides[axis]! + ti * w.dilations[axis]! - w.begins[axis]!;
        if (p < 0 || p >= input[axis]!) {
          inside = false;
          break;
        }
        at += p * scale;
        scale *= input[axis]!;
      }
      if (inside) f(o, t, at);
    }
  }
}
