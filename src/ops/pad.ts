import { addDim, type Dim, type Shape, unknownDim } from "../base/dims.js";
import { ScconvError } from "../base/errors.js";
import { stridesOf, Tensor } from "../base/tensor.js";
import type { Value } from "../graph/builder.js";
import { floatAttr, intsAttr, type Node, nodeLabel, stringAttr } from "../graph/ir.js";
import { free, type GradContext, none, type Operator } from "../graph/operator.js";
import { forEachIndex } from "./counting.js";
import { add, reduceSum, slice, sub } from "./emit.js";

/** What is added before and after each axis; negative is cut away. */
interface Margin {
  readonly begin: number;
  readonly end: number;
}

function margins(rank: number, pads: readonly number[], axes: readonly number[] | undefined): Margin[] {
  const out: Margin[] = Array.from({ length: rank }, () => ({ begin: 0, end: 0 }));
  const list = axes ?? out.map((_, i) => i);
  list.forEach((a, i) => {
    out[a < 0 ? a + rank : a] = { begin: pads[i]!, end: pads[i + list.length]! };
  });
  return out;
}

/** Which element of the input a position (from −begin on) shows, or −1 for the constant. */
const sources: Readonly<Record<string, (i: number, n: number) => number>> = {
  constant: (i, n) => (i >= 0 && i < n ? i : -1),
  edge: (i, n) => Math.min(n - 1, Math.max(0, i)),
  reflect: (i, n) => {
    if (n === 1) return 0;
    const period = 2 * (n - 1);
    const r = ((i % period) + period) % period;
    return r < n ? r : period - r;
  },
  wrap: (i, n) => ((i % n) + n) % n,
};

const modeOf = (node: Node): string => stringAttr(node, "mode", "constant");

export const pad: Operator = {
  type: "Pad",
  since: 11,
  infer: (ctx) => {
    const [dtype, x] = [ctx.dtype(0), ctx.shape(0)];
    const pads = ctx.knownInts(1);
    const axes = ctx.inputs[3] ? ctx.knownInts(3) : x?.map((_, i) => i);
    if (!sources[modeOf(ctx.node)]) throw ctx.error(`mode "${modeOf(ctx.node)}" is not supported`);
    if (!x || !pads || !axes) return [{ dtype, shape: x?.map(unknownDim) }];
    if (pads.length !== 2 * axes.length) {
      throw ctx.error("pads need a begin and an end for each axis", {
        got: `${pads.length}`,
        need: `${2 * axes.length}`,
      });
    }
    const m = margins(x.length, pads, axes);
    return [{ dtype, shape: x.map((d, i): Dim => addDim(d, m[i]!.begin + m[i]!.end)) }];
  },
  evaluate: ({ node, inputs, tensor }) => {
    const x = tensor(0);
    const rank = x.dims.length;
    const m = margins(rank, Array.from(tensor(1).numbers()), inputs[3] && Array.from(inputs[3].numbers()));
    const dims = x.dims.map((d, i) => d + m[i]!.begin + m[i]!.end);
    const strides = stridesOf(x.dims);
    // For each axis, the offset in x that a position shows, or −1.
    const maps = dims.map((d, a) =>
      Int32Array.from({ length: d }, (_, i) => {
        const at = sources[modeOf(node)]!(i - m[a]!.begin, x.dims[a]!);
        return at < 0 ? -1 : at * strides[a]!;
      }),
    );
    const out = Tensor.zeros(x.dtype, dims);
    const [from, to] = [x.data as Float64Array, out.data as Float64Array];
    const fill = (inputs[2]?.data as Float64Array | undefined)?.[0] ?? to[0]! * 0;
    forEachIndex(dims, (index, i) => {
      let at = 0;
      for (let a = 0; a < rank && at >= 0; a++) {
        const step = maps[a]![index[a]!]!;
        at = step < 0 ? -1 : at + step;
      }
      to[i] = at < 0 ? fill : from[at]!;
    });
    return [out];
  },
  cost: free,
  settings: [2],
  grad: (ctx) => [
    () => unpad(ctx),
    none("pads are not differentiable"),
    // What the image does not show is the constant.
    () => {
      const dy = ctx.dy();
      const all = (v: Value) =>
        reduceSum(
          v,
          v.shape.map((_, i) => i),
          false,
        );
      return sub(all(dy), all(unpad(ctx)));
    },
    none("axes are not differentiable"),
  ],
  upgrade: (node, _from, make) => {
    const pads = intsAttr(node, "pads");
    if (!pads) return node;
    const attributes = new Map(node.attributes);
    for (const name of ["pads", "value"]) attributes.delete(name);
    const value = make.scalarLike(floatAttr(node, "value", 0), node.inputs[0]!);
    return { ...node, inputs: [node.inputs[0]!, make.ints(pads), value], attributes };
  },
  // The choice of axes came with 18, wrapping around with 19.
  downgrade: (node, to, make) => {
    if (to < 19 && modeOf(node) === "wrap") throw make.cannot('set 19 (mode "wrap")');
    if (to >= 18 || !node.inputs[3]) return node;
    const [pads, axes] = [make.known(node.inputs[1]!), make.known(node.inputs[3])];
    const rank = make.type(node.inputs[0]!)?.shape?.length;
    if (!pads || !axes || rank === undefined) throw make.cannot("set 18, or constant pads and axes");
    const m = margins(rank, Array.from(pads.numbers()), Array.from(axes.numbers()));
    const all = make.ints([...m.map((v) => v.begin), ...m.map((v) => v.end)]);
    const fill = node.inputs[2];
    return { ...node, inputs: fill ? [node.inputs[0]!, all, fill] : [node.inputs[0]!, all] };
  },
};

function unpad(ctx: GradContext): Value {
  const x = ctx.x(0);
  const known = (i: number) => ctx.inputs[i]?.constant && Array.from(ctx.inputs[i]!.constant!.numbers());
  const pads = known(1);
  if (!pads || (ctx.inputs[3] && !known(3))) {
    throw new ScconvError("not-differentiable", "computed pads", { where: nodeLabel(ctx.node) });
  }
  const mode = modeOf(ctx.node);
  let g = ctx.dy();
  // Padding goes axis by axis, so its transpose does.
  margins(x.rank, pads, known(3)).forEach((m, axis) => {
    if (m.begin !== 0 || m.end !== 0) g = unpadAxis(g, axis, x.shape[axis]!, m, mode);
  });
  return g;
}

/** The middle, and what the margins show of it added where it came from. */
function unpadAxis(g: Value, axis: number, size: Shape[number], { begin, end }: Margin, mode: string): Value {
  const part = (from: number, to: number, backwards = false) =>
    backwards
      ? slice(g, { starts: [to - 1], ends: [from === 0 ? -(2 ** 31) : from - 1], axes: [axis], steps: [-1] })
      : slice(g, { starts: [from], ends: [to], axes: [axis] });
  const first = Math.max(0, begin);
  let middle = end > 0 ? part(first, -end) : first > 0 ? part(first, 2 ** 31 - 1) : g;
  middle = around(middle, axis, Math.max(0, -begin), Math.max(0, -end));
  if (mode === "constant") return middle;
  const n = size as number;
  if (
    typeof size !== "number" ||
    begin < 0 ||
    end < 0 ||
    (mode !== "edge" && Math.max(begin, end) > (mode === "wrap" ? n : n - 1))
  ) {
    throw new ScconvError("not-differentiable", `Pad in mode "${mode}" with these sizes`, {
      got: `${size} elements, ${begin} before and ${end} after`,
    });
  }
  const put = (v: Value, at: number, length: number) => {
    middle = add(middle, around(v, axis, at, n - at - length));
  };
  if (begin > 0) {
    if (mode === "edge") put(reduceSum(part(0, begin), [axis]), 0, 1);
    else if (mode === "reflect") put(part(0, begin, true), 1, begin);
    else put(part(0, begin), n - begin, begin);
  }
  if (end > 0) {
    const [from, to] = [begin + n, begin + n + end];
    if (mode === "edge") put(reduceSum(part(from, to), [axis]), n - 1, 1);
    else if (mode === "reflect") put(part(from, to, true), n - 1 - end, end);
    else put(part(from, to), 0, end);
  }
  return middle;
}

/** Zeros before and after along one axis. */
function around(v: Value, axis: number, begin: number, end: number): Value {
  if (begin === 0 && end === 0) return v;
  const pads = new Array<number>(2 * v.rank).fill(0);
  pads[axis] = begin;
  pads[axis + v.rank] = end;
  return v.builder.add("Pad", [v, v.builder.ints(pads)]);
}
