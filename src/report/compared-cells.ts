import { formatShape } from "../base/dims.js";
import { formatCount, formatDim, formatShare } from "../base/format.js";
import type { ComparedLayer, LayerSide } from "../surgery/compare-layers.js";

/** What is told of a layer of two models; undefined where there is nothing to tell. */
export interface ComparedCells {
  /** What became of it in the second. */
  readonly second: string;
  readonly op: string;
  readonly makes: string;
  readonly parameters: string | undefined;
  readonly macs: string | undefined;
  readonly moved: string | undefined;
}

export function comparedCells(layer: ComparedLayer): ComparedCells {
  const { kind, differs, weightChange } = layer;
  return {
    second: kind === "changed" ? `other ${differs.join(", ")}` : said[kind],
    op: pairOf(layer, (s) => s.op),
    makes: pairOf(layer, (s) => formatShape(s.shape)),
    parameters: something(pairOf(layer, (s) => count(s.parameters))),
    macs: something(pairOf(layer, (s) => formatDim(s.macs, count))),
    moved: weightChange ? formatShare(weightChange) : undefined,
  };
}

const said: Readonly<Record<ComparedLayer["kind"], string>> = {
  same: "the same",
  weights: "other weights",
  changed: "",
  replaced: "replaced",
  first: "only in the first",
  second: "only in the second",
};

/** Of both, or once where they agree. */
const pairOf = ({ first, second }: ComparedLayer, of: (side: LayerSide) => string): string => {
  const [one, other] = [first && of(first), second && of(second)];
  return one !== undefined && other !== undefined && one !== other
    ? `${one} → ${other}`
    : (one ?? other ?? "");
};

const count = (n: number): string => (n > 0 ? formatCount(n) : "0");
const something = (text: string): string | undefined => (text === "0" ? undefined : text);
